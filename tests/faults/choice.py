"""Which cases are run: all by ``make faults``, a sample by ``make test``."""

import os

import pytest

IS_ALL = os.environ.get("CUMULET_FAULT_CASES") == "all"
SEED = os.environ.get("CUMULET_FAULT_SEED", "1")
#: Marks what only ``make faults`` runs.
full_set_only = pytest.mark.full_set_only
