"""Each process killed with SIGKILL before and after each step and action of each verb."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults import cases, choice, truth, verbs
from tests.faults.cloud import Cloud
from tests.faults.verbs import Site

_ALL = cases.kills()
_CHOSEN = _ALL if choice.IS_ALL else cases.sample(_ALL, 6, choice.SEED)


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Iterator[Site]:
    with verbs.site(cloud) as made:
        yield made


@pytest.mark.parametrize("case", _CHOSEN, ids=str)
def test_killed(
    cloud: Cloud, site: Site, case: cases.Case, record_property: Callable[[str, object], None]
) -> None:
    record_property("group", f"{case.verb}: a process killed at each step and action")
    record_property("case", f"({case.point})")
    with verbs.tidied(site):
        seconds = verbs.VERBS[case.verb](site, lambda: cloud.plan(f"{case.point} kill"))
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        fired = cloud.fired()
    truth.holds(cloud)
    # the cloud is whole, but nobody was killed: neither survived nor failed
    if not fired and str(case) in cases.MAY_BE_MISSED:
        pytest.skip(f"{case.point} was passed by this time")
    assert fired, f"{case.point} was not passed"


@choice.full_set_only
@pytest.mark.parametrize("verb", list(verbs.VERBS))
def test_every_point_has_its_case(cloud: Cloud, site: Site, verb: str) -> None:
    verbs.VERBS[verb](site, lambda: cloud.plan("* trace"))
    truth.holds(cloud)
    passed = cloud.passed()
    verbs.tidy(site)
    known = {c.point for c in _ALL if c.verb == verb}
    told = {p for p in passed if not p.startswith(("volume.fill", "agent.volume"))}
    assert told <= known
