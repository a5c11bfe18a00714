"""libvirt's view of a domain → the planner's, and the controller's."""

from xml.etree import ElementTree

import libvirt

from contract.server import Server, ServerObserved
from nova_compute import plan
from nova_compute.domain import server as domain_server
from nova_compute.host.libvirt import Domain

_MARK = f"metadata/{{{domain_server.NAMESPACE}}}server"
_ALIAS_PREFIX = "ua-"
_OUR_DISKS = ("root", "config")

_STATES: dict[int, plan.State] = {
    libvirt.VIR_DOMAIN_NOSTATE: "running",
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "running",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "running",
    libvirt.VIR_DOMAIN_SHUTDOWN: "running",
    libvirt.VIR_DOMAIN_SHUTOFF: "off",
    libvirt.VIR_DOMAIN_CRASHED: "off",
}
_REASONS: dict[int, plan.Reason] = {
    libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN: "guest",
    libvirt.VIR_DOMAIN_SHUTOFF_CRASHED: "crash",
    libvirt.VIR_DOMAIN_SHUTOFF_FAILED: "crash",
    libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED: "destroyed",
}
_POWERS = {"absent": "absent", "off": "off", "paused": "paused", "running": "on"}


def observe(domain: Domain | None, is_stopped_by_host: bool) -> plan.Observed:
    """What the planner must know. ``is_stopped_by_host``: the last event said that the guest's process was
    told to end by a signal, which libvirt's state alone does not tell from the guest's own shutdown."""
    if domain is None:
        return plan.Observed(state="absent")
    definition = ElementTree.fromstring(domain.definition)
    devices = ElementTree.fromstring(domain.live) if domain.live is not None else definition
    state = _STATES.get(domain.state, "running")
    return plan.Observed(
        state=state,
        reason=_reason(domain, state, is_stopped_by_host),
        domain_id=domain.domain_id,
        config_digest=_digest(definition),
        disks=tuple(a for a in _aliases(devices, "disk") if a not in _OUR_DISKS),
        interfaces=_aliases(devices, "interface"),
    )


def reported(server: Server, observed: plan.Observed, note: plan.Note) -> ServerObserved:
    """What the controller is told."""
    return ServerObserved(
        power=_POWERS[observed.state],  # type: ignore[arg-type]
        is_guest_shutdown=plan.is_guest_shutdown(server, observed, note),
        disks=observed.disks,
        interfaces=observed.interfaces,
        launched_at=note.launched_at,
    )


def is_ours(domain: Domain) -> bool:
    """Whether a domain carries our mark."""
    return ElementTree.fromstring(domain.definition).find(_MARK) is not None


def _reason(domain: Domain, state: plan.State, is_stopped_by_host: bool) -> plan.Reason:
    if state == "paused":
        return "io_error" if domain.reason == libvirt.VIR_DOMAIN_PAUSED_IOERROR else ""
    if state != "off":
        return ""
    reason = _REASONS.get(domain.reason, "unknown")
    return "crash" if reason == "guest" and is_stopped_by_host else reason


def _digest(definition: ElementTree.Element) -> str:
    mark = definition.find(_MARK)
    return mark.get("digest", "") if mark is not None else ""


def _aliases(domain: ElementTree.Element, kind: str) -> tuple[str, ...]:
    names = [alias.get("name", "") for alias in domain.findall(f"devices/{kind}/alias")]
    return tuple(n.removeprefix(_ALIAS_PREFIX) for n in names if n.startswith(_ALIAS_PREFIX))
