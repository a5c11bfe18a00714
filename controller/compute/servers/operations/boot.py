"""boot: a server that was asked for comes to life on a host.

volumes ──► place ──► export ──► spawn ──► active
              ▲                     │ the host refused
              └─────── undone ──────┘ next candidate
"""

from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers import document, host_views
from controller.compute.servers.model import Server
from controller.compute.servers.operations import exports, leave
from controller.compute.servers.operations.faults import become_error, current
from controller.db.columns import now
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.network.ports import server as server_ports
from controller.operations.model import Operation
from controller.operations.step import Backtrack, Definition, Run, Step, StepFailed, Waiting
from controller.placement import allocations
from controller.scheduler.pick import pick
from controller.volume.attachments import server as server_volumes

#: Hosts that are tried before the server ends in ERROR.
MAX_ATTEMPTS = 3
NO_HOST = "No valid host was found. There are not enough hosts available."


def _volumes(run: Run) -> Waiting | None:
    """New volumes of the server must be there before a host is bothered."""
    with run.db.read() as session:
        states = server_volumes.boot_volume_states(session, run.resource_id)
    failed = [volume for volume, state in states.items() if state == "error"]
    if failed:
        raise StepFailed(f"Volume {failed[0]} could not be created: see 'openstack volume show {failed[0]}'.")
    waiting = [volume for volume, state in states.items() if state in ("creating", "downloading")]
    return Waiting(f"volumes {', '.join(waiting)}") if waiting else None


def _place(run: Run) -> Waiting | None:
    """Chooses a host and claims it: the second transaction, the only one that is undone on refusal."""
    return run.write(lambda session: _claim(session, run))


def _claim(session: Session, run: Run) -> Waiting | None:
    server = current(session, run)
    if server.host is not None:
        return None
    rejected = frozenset(run.memory.get("rejected_hosts", ()))
    request = host_views.request_of(server, rejected)
    hosts = host_views.load(session)
    ranking = pick(request, hosts)
    for candidate in ranking.candidates:
        owner = (server.project_id, server.user_id)
        if allocations.claim(session, candidate.provider_id, server.id, dict(request.resources), owner):
            server.host, server.availability_zone = candidate.host, candidate.availability_zone
            server.task = "spawning"
            server_ports.bind(session, server.id, candidate.host)
            changed(session, "server", server.id)
            return None
    silent = [h.host for h in hosts if not (h.is_up or h.is_disabled or h.host in rejected)]
    if silent and run.left_s > 1:
        # an engine that was away has heard nobody: hosts are given the time to say that they live
        return Waiting(f"{', '.join(silent)} to be heard", again_s=1.0)
    tried = run.memory.get("last_refusal", "")
    message = f"Exceeded maximum number of retries. {tried}" if tried else NO_HOST
    raise StepFailed(message, ranking.explain())


def _unplace(run: Run) -> Waiting | None:
    """Takes the server off its host: domain first, then what it held."""
    waiting = leave.leave_host(run)
    if waiting is None:
        run.write(lambda session: _unclaim(session, run))
    return waiting


def _unclaim(session: Session, run: Run) -> None:
    server = current(session, run)
    if server.host is not None:
        run.remember(
            session, rejected_hosts=[*run.memory.get("rejected_hosts", ()), server.host], is_left=False
        )
    allocations.release(session, server.id)
    server_ports.unbind(session, server.id)
    server.host, server.leaving_host, server.availability_zone = None, None, None
    changed(session, "server", server.id)


def _export(run: Run) -> Waiting | None:
    """Shows the server's volumes to its host."""

    def want(session: Session) -> list[tuple[str, str]]:
        server = current(session, run)
        states = []
        for attachment in server_volumes.for_server(session, server.id):
            exports.show(session, attachment.id, str(server.host))
            state, fault = server_volumes.is_exported(session, attachment.id)
            states.append((state, fault))
            if state == "applied":
                server_volumes.want_in_guest(session, attachment.id, True)
        changed(session, "server", server.id)
        return states

    states = run.write(want)
    for state, fault in states:
        if state == "failed":
            raise StepFailed(f"A volume could not be exported: {fault}")
    waiting = [fault for state, fault in states if state != "applied"]
    return Waiting("exports", fault=" ".join(waiting).strip()) if waiting else None


def _spawn(run: Run) -> Waiting | None:
    """Waits until the host shows a running guest."""
    with run.db.read() as session:
        server = session.get(Server, run.resource_id)
        if server is None or server.host is None:
            raise StepFailed("The server has no host.")
        stands = standing(session, document.DOCUMENTS["server"], Key("server", server.id), server.host)
        is_running = server.power_observed == "on"
    if stands.state == "failed":
        _refused(run, server.host, stands.fault, stands.fault_details)
    if stands.state == "applied" and is_running:
        return None
    return Waiting(f"host {server.host}", fault=stands.fault)


def _refused(run: Run, host: str, fault: str, details: str) -> None:
    refusals = len(run.memory.get("rejected_hosts", ())) + 1
    run.write(lambda s: run.remember(s, last_refusal=f"Host {host}: {fault}"))
    if refusals >= MAX_ATTEMPTS:
        raise StepFailed(f"Exceeded maximum number of retries. {fault}", f"last host {host}: {details}")
    raise Backtrack("place", fault)


def _done(session: Session, operation: Operation) -> None:
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    if server is None:
        return
    server.state, server.task = "active", None
    server.launched_at = server.launched_at or now()
    for attachment in server_volumes.for_server(session, server.id):
        server_volumes.mark_attached(session, attachment.id)


DEFINITION = Definition(
    kind="server.boot",
    action="create",
    steps=(
        Step("volumes", _volumes, deadline_s=600, late="The server's volumes were not ready in time."),
        Step("place", _place, _unplace, deadline_s=15, late=NO_HOST),
        # undone with "place": an export goes only after the domain
        Step("export", _export, deadline_s=60, late="The server's volumes were not exported in time."),
        Step("spawn", _spawn, deadline_s=300, late="The host did not start the server in time."),
    ),
    on_done=_done,
    on_failed=become_error,
)
