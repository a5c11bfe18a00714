"""Which cases are run: those that mean something in a profile; by ``make faults`` all, by ``make test`` a sample.

Every test of this folder is collected for both profiles. What it is about, its mark ``needs`` says; how many of its
cases are enough for a sample, its mark ``sampled``. A test without that one is in every sample.
"""

import itertools
import os
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from lab.up import profile

IS_ALL = os.environ.get("CUMULET_FAULT_CASES") == "all"
SEED = os.environ.get("CUMULET_FAULT_SEED", "1")
#: Those that are run, one after the other.
PROFILES = os.environ.get("CUMULET_FAULT_PROFILES", "").split() or profile.PROFILES

MARIADB, RABBITMQ, SQLITE = "mariadb", "rabbitmq", "sqlite"
#: One process of ours can be stopped, killed or left out while the others go on.
PROCESSES_APART = "processes apart"
ONE_PROCESS = "one process"
#: What a profile has that cases may be about.
_HAS: Mapping[str, frozenset[str]] = {
    profile.FULL: frozenset({MARIADB, RABBITMQ, PROCESSES_APART}),
    profile.EMBEDDED: frozenset({SQLITE, ONE_PROCESS}),
}


def needs(part: str) -> pytest.MarkDecorator:
    """Marks a test or a case that means something only where the cloud has this."""
    return pytest.mark.needs(part)


def sampled(count: int, each: str = "") -> pytest.MarkDecorator:
    """Marks a test of which ``count`` cases are a sample: one of each value of the parameter ``each`` in turn."""
    return pytest.mark.sampled(count, each)


#: Marks a test or a case that only ``make faults`` runs.
full_set_only = sampled(0)


def chosen(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Those that are run; a sample is always the same for a seed."""
    meant = [item for item in items if _means_something(item)]
    if IS_ALL:
        return meant
    by_test: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in meant:
        by_test[f"{_profile_of(item)} {item.nodeid.partition('[')[0]}"].append(item)
    kept = {item for test, cases in by_test.items() for item in _sample(cases, f"{SEED} {test}")}
    return [item for item in meant if item in kept]


def _means_something(item: pytest.Item) -> bool:
    return {mark.args[0] for mark in item.iter_markers("needs")} <= _HAS[_profile_of(item)]


def _sample(cases: Sequence[pytest.Item], seed: str) -> Sequence[pytest.Item]:
    cases = [case for case in cases if full_set_only.mark not in case.iter_markers("sampled")]
    mark = cases[0].get_closest_marker("sampled") if cases else None
    if mark is None:
        return cases
    count, each = mark.args
    groups: dict[object, list[pytest.Item]] = defaultdict(list)
    for case in random.Random(seed).sample(cases, len(cases)):
        groups[_parameter(case, each)].append(case)
    in_turn = (case for turn in itertools.zip_longest(*groups.values()) for case in turn if case is not None)
    return list(itertools.islice(in_turn, count))


def _profile_of(item: pytest.Item) -> str:
    return str(_parameter(item, "cloud"))


def _parameter(item: pytest.Item, name: str) -> object:
    return item.callspec.params.get(name)  # type: ignore[attr-defined]
