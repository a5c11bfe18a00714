"""A pretended host: speaks the real contract to the engine, keeps what it is told in memory.

Every document is applied at once, unless a test says otherwise by ``refuse`` or ``hold``.
"""

import itertools
import threading
import time
from collections.abc import Callable

import msgspec

from contract import report as words
from contract import topics
from contract.document import Document, Envelope, Key, set_digest
from contract.export import Export, ExportObserved
from contract.kinds import decode
from contract.port import PortObserved
from contract.router import RouterObserved
from contract.server import Server, ServerObserved
from contract.volume import Volume, VolumeObserved
from controller.engine.sync import Line

_SEQUENCE = itertools.count(time.time_ns() // 1000)
AGENTS = (topics.NOVA_COMPUTE, topics.OVS_AGENT, topics.VOLUME_AGENT)


class FakeHost:
    """All three agents of one host. ``fits`` limits what it says to have."""

    def __init__(self, name: str, line: Line, vcpus: int = 8, ram_mib: int = 8192) -> None:
        self.name = name
        self._line = line
        self._inventory = {
            "VCPU": words.Inventory(total=vcpus),
            "MEMORY_MB": words.Inventory(total=ram_mib),
            "DISK_GB": words.Inventory(total=100),
        }
        self.held: dict[Key, Envelope] = {}
        self.removed: list[Key] = []
        self.refuse: dict[str, words.Fault] = {}
        self.hold: set[str] = set()
        self.is_deaf = False
        self.tunnel_ip = "127.0.0.1"
        self.bridge_mappings: dict[str, str] = {}
        self._lock = threading.RLock()

    def beat(self) -> list[words.HeartbeatAnswer]:
        """A heartbeat of each agent, followed by a sync where the engine says that sets differ."""
        answers = []
        for agent in AGENTS:
            mine = {k: e.digest for k, e in self.held.items() if topics.AGENT_OF_KIND[k.kind] == agent}
            answer = self._line.heartbeat(
                words.Heartbeat(
                    agent=agent,
                    set_digest=set_digest(mine),
                    database_id="",
                    revision=0,
                    capabilities=self._capabilities(agent),
                    inventory=self._inventory if agent == topics.NOVA_COMPUTE else {},
                ),
                self.name,
            )
            if not answer.is_in_step:
                self._sync(agent, mine)
            answers.append(answer)
        return answers

    def changed(self, place: tuple[str, str], keys: list[Key]) -> None:
        """A hint from the engine; lost when the host is deaf."""
        if self.is_deaf or place[1] != self.name:
            return
        for key in keys:
            if key.kind not in self.hold:
                self.work(key)

    def work(self, key: Key) -> None:
        """Pulls one document, applies it, reports."""
        with self._lock:
            request = words.Pull(agent=topics.AGENT_OF_KIND[key.kind], kind=key.kind, id=key.id)
            answer = self._line.pull(request, self.name)
            if answer.tombstone is not None:
                self.held.pop(key, None)
                self.removed.append(key)
                self.say(key, "removed", "tombstone")
            elif answer.document is not None:
                self._apply(key, answer.document)

    def say(
        self,
        key: Key,
        state: str,
        digest: str,
        observed: msgspec.Struct | None = None,
        fault: words.Fault | None = None,
    ) -> None:
        """Reports on a key."""
        results: tuple[words.OperationResult, ...] = ()
        if key.kind == "server" and key in self.held:
            server = self.server(key.id)
            results = tuple(words.OperationResult(operation_id=i.operation_id) for i in server.imperatives)
        report = words.Report(
            sequence=next(_SEQUENCE),
            kind=key.kind,
            id=key.id,
            digest=digest,
            state=state,  # type: ignore[arg-type]
            observed=msgspec.json.encode(observed),
            fault=fault,
            results=results,
        )
        request = words.Reports(agent=topics.AGENT_OF_KIND[key.kind], reports=(report,))
        self._line.report(request, self.name)

    def server(self, server_id: str) -> Server:
        """The server's document as the host has it."""
        document = decode(self.held[Key("server", server_id)])
        assert isinstance(document, Server)
        return document

    def guest_shuts_down(self, server_id: str) -> None:
        """The guest powers itself off."""
        envelope = self.held[Key("server", server_id)]
        seen = msgspec.structs.replace(_server(decode(envelope)), power="off", is_guest_shutdown=True)
        self.say(Key("server", server_id), "applied", envelope.digest, seen)

    def kinds(self) -> list[str]:
        """Kinds of what the host has, sorted."""
        return sorted(key.kind for key in self.held)

    def _apply(self, key: Key, envelope: Envelope) -> None:
        fault = self.refuse.get(key.kind)
        if fault is not None:
            self.say(key, "failed", envelope.digest, fault=fault)
            return
        self.held[key] = envelope
        self.say(key, "applied", envelope.digest, _OBSERVE.get(key.kind, lambda _: None)(decode(envelope)))

    def _sync(self, agent: str, held: dict[Key, str]) -> None:
        digests = tuple((k.kind, k.id, d) for k, d in held.items())
        answer = self._line.sync(words.Sync(agent=agent, digests=digests), self.name)
        for word in (*answer.documents, *answer.tombstones):
            self.work(word.key)

    def _capabilities(self, agent: str) -> words.Capabilities:
        if agent == topics.VOLUME_AGENT:
            return words.Capabilities(
                version="1",
                backend="file",
                storage_protocol="iSCSI",
                free_gib=100,
                total_gib=100,
            )
        return words.Capabilities(
            version="1",
            hypervisor_type="QEMU",
            hypervisor_hostname=self.name,
            tunnel_ip=self.tunnel_ip,
            bridge_mappings=self.bridge_mappings,
            host_ip="127.0.0.1",
        )


def _server(document: Document) -> ServerObserved:
    assert isinstance(document, Server)
    return ServerObserved(
        power=document.power,
        disks=tuple(d.attachment_id for d in document.disks),
        interfaces=tuple(i.port_id for i in document.interfaces),
        launched_at=time.time(),
    )


def _volume(document: Document) -> VolumeObserved:
    assert isinstance(document, Volume)
    return VolumeObserved(state="available", size_bytes=document.size_gib << 30)


def _export(document: Document) -> ExportObserved:
    assert isinstance(document, Export)
    return ExportObserved(is_exported=True, portal="127.0.0.1:3260", lun=document.lun)


_OBSERVE: dict[str, Callable[[Document], msgspec.Struct | None]] = {
    "server": _server,
    "volume": _volume,
    "export": _export,
    "router": lambda _document: RouterObserved(is_active=True),
    "port": lambda _document: PortObserved(is_wired=True, ofport=1),
}
