"""Carries plans out: observe, plan, act, and again until the plan is empty.

What must be waited for (a guest going down or letting a device go, a port being wired) ends in Retry: an
event of libvirt or of the switch brings the server back at once, and no worker waits meanwhile.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from contract.document import Document, Key
from contract.report import Fault, OperationResult
from contract.server import Server, ServerObserved
from nova_compute import faults, observe, plan, waits
from nova_compute.domain import disk, interface
from nova_compute.domain import server as domain_server
from nova_compute.domain.element import render
from nova_compute.domain.machine import Machine
from nova_compute.host import tap
from nova_compute.host.libvirt import Hypervisor
from nova_compute.host.ovsdb import Switch
from nova_compute.server_files import ServerFiles
from nova_compute.volumes import Volumes
from runtime import faultpoint
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.outcome import Retry

#: A plan that is not empty after so many rounds is tried again later: it would be a bug.
_ROUNDS = 8


@dataclass(frozen=True)
class Host:
    """What domains are made with and from. ``machine`` lacks only the kind of datapath."""

    ledger: Ledger
    hypervisor: Hypervisor
    switch: Switch
    files: ServerFiles
    volumes: Volumes
    machine: Machine


@dataclass(frozen=True)
class Patience:
    """How long things may take, in seconds."""

    shutdown_s: float
    reboot_s: float
    wiring_s: float


@dataclass
class _Work:
    """One server in one pass: its document, what it compiles to, what was last seen."""

    server: Server
    machine: Machine
    xml: str
    note: plan.Note
    observed: plan.Observed


class Servers:
    """Handler of documents of kind ``server``."""

    def __init__(self, host: Host, patience: Patience) -> None:
        self._host = host
        self._patience = patience
        self._waits = waits.Waits()
        self._stopped_by_host: set[str] = set()
        self._acts: dict[type, Callable[[_Work, Any], None]] = {
            plan.Remember: self._remember,
            plan.Define: self._define,
            plan.Start: self._start,
            plan.Resume: self._resume,
            plan.RequestShutdown: self._request_shutdown,
            plan.AwaitShutdown: self._await_shutdown,
            plan.Destroy: self._destroy,
            plan.AttachDisk: self._attach_disk,
            plan.DetachDisk: self._detach_disk,
            plan.AttachInterface: self._attach_interface,
            plan.DetachInterface: self._detach_interface,
            plan.AwaitRemoval: self._await_removal,
            plan.Disconnect: self._disconnect,
            plan.FinishOperation: self._finish_operation,
        }

    def stopped_by_host(self, server_id: str) -> None:
        """An event said that a signal ended the guest's process: it did not shut itself down."""
        self._stopped_by_host.add(server_id)

    def apply(self, document: Document) -> ServerObserved:
        """Makes the domain as the document says. Raises Retry and Failed."""
        if not isinstance(document, Server):
            raise TypeError(f"not a server: {document!r}")
        self._host.ledger.forget_results(_key(document.id), {i.operation_id for i in document.imperatives})
        with faults.told():
            for _ in range(_ROUNDS):
                work = self._look(document)
                actions = plan.plan(work.server, work.observed, self._context(work))
                if not actions:
                    self._waits.settled(document.id)
                    return observe.reported(document, work.observed, work.note)
                self._perform(work, actions)
        names = ", ".join(type(action).__name__ for action in actions)
        raise Retry(10.0, Fault(message="The server does not come to rest on its host.", details=names))

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Leaves nothing of the server on this host. Raises Retry."""
        host, note = self._host, self._note(resource_id)
        with faults.told():
            domain = host.hypervisor.domain(resource_id)
            attachments = set(observe.observe(domain, False).disks)
            if domain is not None:
                host.hypervisor.destroy(resource_id)
                host.hypervisor.undefine(resource_id)
            sessions = set(note.sessions)
            if isinstance(document, Server):
                attachments |= {d.attachment_id for d in document.disks}
                sessions |= set(host.volumes.sessions(document.disks))
            host.volumes.forget(sorted(attachments))
            for session in sessions:
                host.volumes.disconnect(session)
            host.files.discard(resource_id)
        host.ledger.set_note(_key(resource_id), None)
        self._waits.settled(resource_id)
        self._stopped_by_host.discard(resource_id)

    def _look(self, server: Server) -> _Work:
        host = self._host
        domain = host.hypervisor.domain(server.id)
        is_userspace = host.switch.is_userspace() if server.interfaces else True
        machine = msgspec.structs.replace(host.machine, is_userspace_datapath=is_userspace)
        return _Work(
            server=server,
            machine=machine,
            xml=domain_server.domain(server, host.files.of(server), machine),
            note=self._note(server.id),
            observed=observe.observe(domain, server.id in self._stopped_by_host),
        )

    def _context(self, work: _Work) -> plan.Context:
        results = self._host.ledger.results(_key(work.server.id))
        return plan.Context(
            now=time.time(),
            note=work.note,
            finished=frozenset(r.operation_id for r in results),
            config_digest=domain_server.digest(work.xml),
            shutdown_timeout_s=self._patience.shutdown_s,
            reboot_timeout_s=self._patience.reboot_s,
        )

    def _perform(self, work: _Work, actions: plan.Plan) -> None:
        """In order. A device that cannot be had does not keep others out; its fault is told at the end."""
        trouble: Retry | None = None
        for action in actions:
            try:
                with faultpoint.around("compute", action), faults.told():
                    self._acts[type(action)](work, action)
            except Retry as retry:
                if not isinstance(action, (plan.AttachDisk, plan.AttachInterface)):
                    raise trouble or retry from None
                trouble = trouble or retry
        if trouble is not None:
            raise trouble

    # --- the actions

    def _remember(self, work: _Work, action: plan.Remember) -> None:
        work.note = action.note
        self._host.ledger.set_note(_key(work.server.id), msgspec.json.encode(action.note))

    def _define(self, work: _Work, _action: plan.Define) -> None:
        self._host.hypervisor.define(work.xml)

    def _start(self, work: _Work, _action: plan.Start) -> None:
        host, server = self._host, work.server
        self._waits.check_crashes(server.id, work.observed.reason == "crash")
        host.files.make(server, has_run=work.note.launched_at is not None)
        self._note_sessions(work)
        self._stopped_by_host.discard(server.id)
        with host.volumes.reachable(server.disks):
            host.hypervisor.start_paused(server.id)
        for nic in server.interfaces:
            tap.silence(interface.tap(nic.port_id))

    def _resume(self, work: _Work, action: plan.Resume) -> None:
        host, server = self._host, work.server
        self._waits.check_wiring(server.id, host.switch.missing(action.port_ids), self._patience.wiring_s)
        self._waits.check_io_error(server.id, work.observed.reason == "io_error")
        run = host.hypervisor.resume(server.id)
        launched_at = work.note.launched_at or time.time()
        note = msgspec.structs.replace(work.note, resumed_domain_id=run, launched_at=launched_at)
        self._remember(work, plan.Remember(note))

    def _request_shutdown(self, work: _Work, _action: plan.RequestShutdown) -> None:
        self._host.hypervisor.press_power_button(work.server.id)

    def _await_shutdown(self, _work: _Work, action: plan.AwaitShutdown) -> None:
        raise Retry(action.seconds + 0.01)

    def _destroy(self, work: _Work, _action: plan.Destroy) -> None:
        self._host.hypervisor.destroy(work.server.id)

    def _attach_disk(self, work: _Work, action: plan.AttachDisk) -> None:
        self._note_sessions(work)
        with self._host.volumes.reachable((action.disk,)):
            self._host.hypervisor.attach(work.server.id, render(disk.volume(action.disk, work.machine)))

    def _detach_disk(self, work: _Work, action: plan.DetachDisk) -> None:
        self._host.hypervisor.request_detach(work.server.id, disk.alias(action.attachment_id))

    def _attach_interface(self, work: _Work, action: plan.AttachInterface) -> None:
        nic = action.interface
        self._host.hypervisor.attach(work.server.id, render(interface.interface(nic, work.machine)))
        tap.silence(interface.tap(nic.port_id))

    def _detach_interface(self, work: _Work, action: plan.DetachInterface) -> None:
        self._host.hypervisor.request_detach(work.server.id, interface.alias(action.port_id))

    def _await_removal(self, work: _Work, action: plan.AwaitRemoval) -> None:
        self._waits.await_removal(work.server.id, action.device_ids)

    def _disconnect(self, work: _Work, action: plan.Disconnect) -> None:
        self._host.volumes.disconnect(action.session)
        left = tuple(s for s in work.note.sessions if s != action.session)
        self._remember(work, plan.Remember(msgspec.structs.replace(work.note, sessions=left)))

    def _finish_operation(self, work: _Work, action: plan.FinishOperation) -> None:
        result = OperationResult(operation_id=action.operation_id)
        self._host.ledger.finish(_key(work.server.id), result)

    def _note(self, server_id: str) -> plan.Note:
        body = self._host.ledger.note(_key(server_id))
        return msgspec.json.decode(body, type=plan.Note) if body else plan.Note()

    def _note_sessions(self, work: _Work) -> None:
        """Before a login, so that whatever happens the host knows what to log out of."""
        wanted = set(self._host.volumes.sessions(work.server.disks)) | set(work.note.sessions)
        if wanted != set(work.note.sessions):
            sessions = tuple(sorted(wanted, key=lambda s: s.attachment_id))
            self._remember(work, plan.Remember(msgspec.structs.replace(work.note, sessions=sessions)))


def _key(server_id: str) -> Key:
    return Key(Server.KIND, server_id)
