"""Making a network."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import limits, options, refusals
from controller.network.networks import segments
from controller.network.networks.model import Network
from controller.network.qos import attach
from controller.network.rbac import model as rbac
from controller.web.caller import Caller

#: Two creations may choose one free id in the same moment; the second chooses again.
_TRIES = 5


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Network:
    """A new network for ``values["project_id"]``. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "network")
    provider = [values.pop(n, None) for n in ("network_type", "physical_network", "segmentation_id")]
    wanted = segments.asked(*provider)
    values["mtu"] = checked_mtu(values["mtu"], wanted)
    check_zones(values["availability_zone_hints"])
    is_shared, is_default = values.pop("is_shared"), values.pop("is_default")
    attach.check(session, caller, values.get("qos_policy_id"))
    values["qos_policy_id"] = values.get("qos_policy_id") or attach.default_of(session, values["project_id"])
    for _ in range(_TRIES):
        chosen = segments.settle(session, wanted)
        network = Network(
            **values,
            network_type=chosen.network_type,
            physical_network=chosen.physical_network,
            segmentation_id=chosen.segmentation_id,
            segment_key=chosen.key,
            revision_number=1,
        )
        try:
            with session.begin_nested():
                session.add(network)
        except IntegrityError:
            continue
        if is_shared:
            rbac.open_to_all(session, "network", network)
        if network.is_external:
            rbac.open_to_all(session, "network", network, rbac.EXTERNAL)
        if is_default:
            make_default(session, network)
        return network
    raise refusals.in_use("The segment was taken at the same moment: try again.", "TunnelIdInUse")


def make_default(session: Session, network: Network) -> None:
    """Topologies are made on it; one that is not external is never. Raises Conflict when there is another."""
    if not network.is_external:
        return
    try:
        with session.begin_nested():
            network.is_default = True
    except IntegrityError:
        raise refusals.in_use(
            "A default external network already exists.", "DefaultExternalNetworkExists"
        ) from None


def checked_mtu(mtu: int, segment: segments.Segment) -> int:
    """The MTU to use; 0 means the largest. Raises BadRequest."""
    if mtu == 0:
        return segment.max_mtu
    if not 68 <= mtu <= segment.max_mtu:
        raise refusals.invalid(
            f"Invalid input for operation: Requested MTU is too big or too small: it must be "
            f"between 68 and {segment.max_mtu} here."
        )
    return mtu


def check_zones(hints: list[str]) -> None:
    """Refuses hints to zones that are not there. Raises NotFound."""
    known = options.settings().availability_zone
    unknown = [hint for hint in hints if hint != known]
    if unknown:
        raise refusals.missing("availability zone", unknown[0])
