"""What must hold when all is back: nothing is under way, nothing is left over, and everybody agrees."""

import time
from xml.etree import ElementTree

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.db.outbox import OutboxRow
from controller.network.ports.model import Port
from controller.operations.model import LIVE, Operation
from controller.placement.model import Allocation
from controller.volume.attachments.model import Attachment
from lab.up import places
from tests.faults import stand_in
from tests.faults.cloud import AWAY, PATIENCE_S, Cloud, doctor, output_of, run

_CLASSES = {"VCPU": "vcpus", "MEMORY_MB": "ram_mib"}


def holds(cloud: Cloud, timeout_s: float = PATIENCE_S) -> None:
    """Waits until nothing disagrees; fails with what does."""
    deadline = time.monotonic() + timeout_s
    while wrong := disagreements(cloud):
        assert time.monotonic() < deadline, "\n".join(wrong)
        time.sleep(0.5)


def disagreements(cloud: Cloud) -> list[str]:
    """All that disagrees now, the quickest looks first."""
    wrong = [] if cloud.all_run() else ["a process does not run"]
    wrong = wrong or ([] if cloud.all_are_heard() else ["an agent is not heard"])
    if not wrong:
        with cloud.db.read() as session:
            wrong = [*at_rest(session), *between_rows(session), *_host(session)]
    if wrong := wrong or _quota(cloud):
        return wrong
    status, text = doctor("--dry-run")
    return [text] if status else []


def unrest(cloud: Cloud) -> list[str]:
    """What is under way."""
    with cloud.db.read() as session:
        return at_rest(session)


def between_rows(session: Session) -> list[str]:
    """What no transaction may leave behind, whatever is under way."""
    return [*_allocations(session), *_ports(session)]


def at_rest(session: Session) -> list[str]:
    """What is under way."""
    live = session.scalars(select(Operation).where(Operation.state.in_(LIVE))).all()
    wrong = [f"{o.kind} of {o.subject} is {o.state} at {o.step} {o.direction}" for o in live]
    outbox = session.scalar(select(func.count()).select_from(OutboxRow))
    tasks = session.scalars(select(Server).where(~Server.is_deleted, Server.task.is_not(None)))
    wrong += [f"server {s.id} is {s.task}" for s in tasks]
    return wrong + ([f"the outbox holds {outbox} rows"] if outbox else [])


def _placed(session: Session) -> dict[str, Server]:
    rows = session.scalars(select(Server).where(~Server.is_deleted, Server.host.is_not(None)))
    return {row.id: row for row in rows}


def _allocations(session: Session) -> list[str]:
    servers = _placed(session)
    wanted = {
        (i, name): getattr(s, attribute) for i, s in servers.items() for name, attribute in _CLASSES.items()
    }
    rows = session.execute(select(Allocation.consumer_id, Allocation.resource_class, Allocation.used))
    found = {(consumer, name): used for consumer, name, used in rows if name in _CLASSES}
    return [] if found == wanted else [f"allocations {found}, servers {wanted}"]


def _ports(session: Session) -> list[str]:
    servers = set(session.scalars(select(Server.id).where(~Server.is_deleted)))
    bound = session.execute(select(Port.id, Port.device_id).where(Port.device_owner.like("compute:%")))
    return [f"port {p} is of server {s}, which is gone" for p, s in bound if s not in servers]


def _host(session: Session) -> list[str]:
    """The host has exactly the domains, directories, taps (of servers and routers) and targets of what the rows say."""
    servers = _placed(session)
    domains = set(output_of("virsh", "list", "--all", "--uuid").split())
    attached = {alias for domain in domains for alias in _volumes_in(domain)}
    wanted = {a.id for a in session.scalars(select(Attachment).where(Attachment.is_in_guest_wanted))}
    folders = {p.name for p in (places.STATE / "servers").iterdir()}
    exported = {a.iqn for a in session.scalars(select(Attachment).where(Attachment.is_export_wanted))}
    shown = output_of("tgtadm", "--lld", "iscsi", "--mode", "target", "--op", "show")
    targets = {line.split(": ", 1)[1] for line in shown.splitlines() if line.startswith("Target ")}
    ports = set(
        session.scalars(
            select(Port.id).where(
                Port.device_id.in_(servers)
                | Port.router_id.is_not(None)
                | (Port.device_owner == stand_in.OWNER)
            )
        )
    )
    rows = output_of("ovs-vsctl", "--bare", "--columns=external_ids", "find", "interface")
    taps = {w.removeprefix("iface-id=") for w in rows.split() if w.startswith("iface-id=")}
    pairs = {
        "domains": (domains, set(servers)),
        "directories": (folders, set(servers)),
        "volumes in guests": (attached, wanted),
        "targets": (targets, exported),
        "taps": (taps, ports),
    }
    wrong = [f"{name} {found}, expected {right}" for name, (found, right) in pairs.items() if found != right]
    left = [str(p) for p in places.STATE.rglob("*.part") if "cache" not in p.parts]
    return wrong + [f"left over: {path}" for path in left]


def _volumes_in(domain: str) -> set[str]:
    """Attachments whose disks a domain has; none if it went since it was listed."""
    told = run("virsh", "dumpxml", domain)
    if told.returncode:
        assert "failed to get domain" in told.stderr, told.stderr
        return set()
    definition = ElementTree.fromstring(told.stdout)
    names = [alias.get("name", "") for alias in definition.findall("devices/disk/alias")]
    return {name.removeprefix("ua-") for name in names} - {"root", "config"}


def _quota(cloud: Cloud) -> list[str]:
    try:
        return _miscounted(cloud)
    except AWAY as error:
        return [f"the API went away: {error}"]


def _miscounted(cloud: Cloud) -> list[str]:
    project = cloud.sdk.current_project_id
    used = cloud.sdk.compute.get_limits().absolute.instances_used
    servers = len(list(cloud.sdk.compute.servers()))
    volumes = cloud.sdk.block_storage.get_quota_set(project, usage=True).usage["volumes"]
    present = len(list(cloud.sdk.block_storage.volumes()))
    wrong = [] if used == servers else [f"quota counts {used} servers of {servers}"]
    return wrong if volumes == present else [*wrong, f"quota counts {volumes} volumes of {present}"]
