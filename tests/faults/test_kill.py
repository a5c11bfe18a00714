"""The process killed with SIGKILL before and after each step and action of each verb: the one that does it, or the one
that does everything."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults import cases, choice, truth, verbs
from tests.faults.cloud import Cloud
from tests.faults.verbs import Site


def _marks(verb: str, point: str) -> Iterator[pytest.MarkDecorator]:
    if not cases.exists_in_one_process(point):
        yield choice.needs(choice.PROCESSES_APART)
    if (verb, point) in cases.MAY_BE_MISSED:
        yield choice.full_set_only


_CASES = [pytest.param(verb, point, marks=list(_marks(verb, point))) for verb, point in cases.kills()]


@choice.sampled(4, each="verb")
@pytest.mark.parametrize(("verb", "point"), _CASES)
def test_killed(
    cloud: Cloud, site: Site, verb: str, point: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("group", f"{verb}: a process killed at each step and action")
    record_property("case", f"({point})")
    with verbs.tidied(site):
        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{point} kill"))
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        fired = cloud.fired()
    truth.holds(cloud)
    # the cloud is whole, but nobody was killed: neither survived nor failed
    if not fired and (verb, point) in cases.MAY_BE_MISSED:
        pytest.skip(f"{point} was passed by this time")
    assert fired, f"{point} was not passed"


@choice.full_set_only
@pytest.mark.parametrize("verb", list(verbs.VERBS))
def test_every_point_has_its_case(cloud: Cloud, site: Site, verb: str) -> None:
    verbs.VERBS[verb](site, lambda: cloud.plan("* trace"))
    truth.holds(cloud)
    passed = cloud.passed()
    verbs.tidy(site)
    known = {point for of, point in cases.kills() if of == verb}
    told = {p for p in passed if not p.startswith(("volume.fill", "agent.volume"))}
    assert told <= known
