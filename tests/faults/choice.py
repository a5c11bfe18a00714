"""Which cases are run: all by ``make faults``, a sample by ``make test``."""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

import pytest

IS_ALL = os.environ.get("CUMULET_FAULT_CASES") == "all"
SEED = os.environ.get("CUMULET_FAULT_SEED", "1")
#: Marks what only ``make faults`` runs.
full_set_only = pytest.mark.full_set_only
Case = TypeVar("Case")


def of(cases: Sequence[Case], count: int) -> Sequence[Case]:
    """All cases, or ``count`` of them, always the same ones for a seed."""
    if IS_ALL:
        return cases
    chosen = random.Random(SEED).sample(range(len(cases)), count)
    return [cases[n] for n in sorted(chosen)]
