"""What is to be done to a domain: a pure function of the document, what was seen, and what was noted.

``apply.py`` carries the actions out and asks again, until the plan is empty. A plan that must wait ends
with an action that waits: for a guest to go down, to let a device go, or for its ports to be wired.
"""

from typing import Literal

import msgspec

from contract.server import Disk, Imperative, Interface, Server

State = Literal["absent", "off", "paused", "running"]
#: Why a domain is off: by itself, its process ended badly, by our hand (or an operator's), not known; or
#: why it is paused, when its disk failed.
Reason = Literal["", "guest", "crash", "destroyed", "unknown", "io_error"]
#: How long after its deadline a power button still explains that a guest goes down.
STALE_STOP_S = 60.0


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop that was begun: of which run of the domain, until when it may take, for which reboot."""

    domain_id: int
    deadline: float
    operation_id: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that the host's initiator logged in to for a server; without the secret."""

    attachment_id: str
    portal: str
    iqn: str
    lun: int


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent remembers of a server beyond its own restarts.

    ``ran_generation`` is the power_generation under which the guest last ran; ``guest_shutdown_generation``
    the one under which it shut itself down; ``resumed_domain_id`` the run in which it was let go.
    """

    ran_generation: int | None = None
    guest_shutdown_generation: int | None = None
    resumed_domain_id: int | None = None
    launched_at: float | None = None
    stop: Stop | None = None
    sessions: tuple[Session, ...] = ()


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """A domain as it is. ``domain_id`` tells its runs apart; ``config_digest`` is that of its definition.

    ``disks`` (attachment ids) and ``interfaces`` (port ids) are those of the running guest, or of the
    definition when it is off.
    """

    state: State
    reason: Reason = ""
    domain_id: int = -1
    config_digest: str = ""
    disks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What else decides: time, note, imperatives already done, the digest of the wanted definition."""

    now: float
    note: Note
    finished: frozenset[str]
    config_digest: str
    shutdown_timeout_s: float
    reboot_timeout_s: float


class Remember(msgspec.Struct, frozen=True):
    """Write the note."""

    note: Note


class Define(msgspec.Struct, frozen=True):
    """Give libvirt the definition, for the next start."""


class Start(msgspec.Struct, frozen=True):
    """Start the domain, paused."""


class Resume(msgspec.Struct, frozen=True):
    """Let the guest run as soon as these ports are wired."""

    port_ids: tuple[str, ...]


class RequestShutdown(msgspec.Struct, frozen=True):
    """Press the power button."""


class AwaitShutdown(msgspec.Struct, frozen=True):
    """Look again when the guest went down, or after this time."""

    seconds: float


class Destroy(msgspec.Struct, frozen=True):
    """Cut the power."""


class AttachDisk(msgspec.Struct, frozen=True):
    """Plug a volume into the running guest."""

    disk: Disk


class DetachDisk(msgspec.Struct, frozen=True):
    """Ask the guest to let a volume go; it does so in its own time."""

    attachment_id: str


class AttachInterface(msgspec.Struct, frozen=True):
    """Plug a NIC into the running guest."""

    interface: Interface


class DetachInterface(msgspec.Struct, frozen=True):
    """Ask the guest to let a NIC go; it does so in its own time."""

    port_id: str


class AwaitRemoval(msgspec.Struct, frozen=True):
    """Look again when the guest has let these devices (by attachment or port id) go."""

    device_ids: tuple[str, ...]


class Disconnect(msgspec.Struct, frozen=True):
    """Log the host out of a unit that its guest has let go."""

    session: Session


class FinishOperation(msgspec.Struct, frozen=True):
    """Remember that an imperative was carried out."""

    operation_id: str


Action = (
    Remember
    | Define
    | Start
    | Resume
    | RequestShutdown
    | AwaitShutdown
    | Destroy
    | AttachDisk
    | DetachDisk
    | AttachInterface
    | DetachInterface
    | AwaitRemoval
    | Disconnect
    | FinishOperation
)
Plan = tuple[Action, ...]


def plan(server: Server, observed: Observed, context: Context) -> Plan:
    """The next actions; empty when the host is as the document says."""
    first: Plan = _stale_sessions(server, observed, context)
    if observed.config_digest != context.config_digest:
        first = (Define(), *first)
    if server.power == "off":
        return first + _power_off(server, observed, context)
    pending = _pending(server, context)
    if pending is not None:
        return first + _reboot(server, observed, context, pending)
    if is_guest_shutdown(server, observed, context.note):
        return first + _remember(context, guest_shutdown_generation=server.power_generation, stop=None)
    return first + _power_on(server, observed, context)


def is_guest_shutdown(server: Server, observed: Observed, note: Note) -> bool:
    """Whether the guest itself ended the run that this document asked for."""
    if observed.state != "off" or server.power == "off":
        return False
    if note.guest_shutdown_generation == server.power_generation:
        return True
    is_ours = note.stop is not None
    return observed.reason == "guest" and not is_ours and note.ran_generation == server.power_generation


def _pending(server: Server, context: Context) -> Imperative | None:
    return next((i for i in server.imperatives if i.operation_id not in context.finished), None)


def _power_off(server: Server, observed: Observed, context: Context) -> Plan:
    if observed.state in ("off", "absent"):
        done = tuple(
            FinishOperation(i.operation_id)
            for i in server.imperatives
            if i.operation_id not in context.finished
        )
        return _remember(context, stop=None) + done
    if observed.state == "paused":
        return (Destroy(),)
    return _stop(observed, context, "", context.shutdown_timeout_s)


def _stop(observed: Observed, context: Context, operation_id: str, timeout_s: float) -> Plan:
    """Power button first; the power is cut when the guest does not react in time."""
    stop = context.note.stop
    if stop is None or (stop.domain_id, stop.operation_id) != (observed.domain_id, operation_id):
        deadline = context.now + timeout_s
        begun = Stop(domain_id=observed.domain_id, deadline=deadline, operation_id=operation_id)
        if timeout_s <= 0:
            return (*_remember(context, stop=begun), Destroy())
        # Pressed first: an agent that dies in between presses again, rather than wait for nothing.
        return (RequestShutdown(), *_remember(context, stop=begun), AwaitShutdown(timeout_s))
    if context.now >= stop.deadline:
        return (Destroy(),)
    return (AwaitShutdown(stop.deadline - context.now),)


def _reboot(server: Server, observed: Observed, context: Context, operation: Imperative) -> Plan:
    """Stop the run that was there when the reboot was asked for, start, finish: each at most once."""
    stop = context.note.stop
    is_begun = stop is not None and stop.operation_id == operation.operation_id
    is_running = observed.state in ("running", "paused")
    if not is_running:
        begun = Stop(domain_id=-1, deadline=context.now, operation_id=operation.operation_id)
        return _remember(context, stop=stop if is_begun else begun) + _start(server, context)
    if is_begun and stop is not None and stop.domain_id != observed.domain_id:
        if observed.state == "paused":
            return _resume(server)
        return (FinishOperation(operation.operation_id), *_remember(context, stop=None))
    is_soft = operation.kind == "reboot_soft" and observed.state == "running"
    timeout_s = context.reboot_timeout_s if is_soft else 0.0
    return _stop(observed, context, operation.operation_id, timeout_s)


def _power_on(server: Server, observed: Observed, context: Context) -> Plan:
    if observed.state in ("off", "absent"):
        return _start(server, context)
    changes = _device_changes(server, observed)
    if observed.state == "paused":
        is_fresh = context.note.resumed_domain_id != observed.domain_id
        if is_fresh and changes:
            return (Destroy(),)
        return _resume(server)
    return _settled(server, observed, context) + changes


def _settled(server: Server, observed: Observed, context: Context) -> Plan:
    """Notes a running guest. One whose button was just pressed for an older document may still go down by
    our hand: that must not pass for its own shutdown."""
    stop = context.note.stop
    is_of_this_run = stop is not None and stop.domain_id == observed.domain_id
    if stop is not None and is_of_this_run and context.now < stop.deadline + STALE_STOP_S:
        return ()
    return _remember(context, ran_generation=server.power_generation, stop=None)


def _start(server: Server, context: Context) -> Plan:
    # Only the run's generation is noted: a stop noted for a reboot must survive until the reboot is done.
    note = _remember(context, ran_generation=server.power_generation, guest_shutdown_generation=None)
    return (*note, Start(), *_resume(server))


def _resume(server: Server) -> Plan:
    return (Resume(tuple(nic.port_id for nic in server.interfaces)),)


def _device_changes(server: Server, observed: Observed) -> Plan:
    """Remove before adding, as a new device may want the place of an old one; wait last."""
    wanted_disks = {disk.attachment_id for disk in server.disks}
    wanted_nics = {nic.port_id for nic in server.interfaces}
    old_disks = tuple(a for a in observed.disks if a not in wanted_disks)
    old_nics = tuple(p for p in observed.interfaces if p not in wanted_nics)
    return (
        *(DetachInterface(port_id) for port_id in old_nics),
        *(DetachDisk(attachment_id) for attachment_id in old_disks),
        *(AttachInterface(nic) for nic in server.interfaces if nic.port_id not in observed.interfaces),
        *(AttachDisk(disk) for disk in server.disks if disk.attachment_id not in observed.disks),
        *((AwaitRemoval(old_disks + old_nics),) if old_disks or old_nics else ()),
    )


def _stale_sessions(server: Server, observed: Observed, context: Context) -> Plan:
    used = {disk.attachment_id for disk in server.disks} | set(observed.disks)
    return tuple(Disconnect(s) for s in context.note.sessions if s.attachment_id not in used)


def _remember(context: Context, **changes: object) -> Plan:
    note = msgspec.structs.replace(context.note, **changes)
    return (Remember(note),) if note != context.note else ()
