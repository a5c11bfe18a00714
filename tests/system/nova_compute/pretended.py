"""What the agent meets in these tests besides its host: a line to the controller, and image bytes."""

import base64
import hashlib
import http.server
import os
import pathlib
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from oslo_config import cfg

from contract.document import Document, Envelope, Key, Tombstone, digest, encode
from contract.instance_data import InstanceData, PublicKey
from contract.report import Report
from contract.server import BootImage, Flavor, Interface, Server, ServerObserved
from nova_compute import agent
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop

#: Image id → the file that the controller would stream.
IMAGE_ID = "11111111-0000-4000-8000-000000000001"
GUEST = pathlib.Path(os.environ["CUMULET_GUEST_DIR"])
IMAGES: dict[str, pathlib.Path] = {IMAGE_ID: GUEST / "guest.qcow2"}


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


class Line:
    """Stands for the controller: stores documents, keeps reports, marks taps as wired."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.ledger = Ledger(pathlib.Path(conf.state_path) / "nova-compute" / "ledger.db")
        self.reports: list[Report] = []
        self._arrived = threading.Condition()
        self._revision = 0
        self._loop: Loop | None = None
        self.compute = agent.Compute(conf, self, agent._machine(conf))  # type: ignore[arg-type]
        self.compute.switch.start()
        self.compute.hypervisor.start()
        self._loop = Loop(
            self.ledger, {"server": self.compute.servers}, lambda key: None, self.publish, agent.WORKERS
        )
        self._loop.start()
        self._loop.poke(self.ledger.keys())

    def poke(self, keys: list[Key]) -> None:
        if self._loop is not None:
            self._loop.poke(keys)

    def publish(self, report: Report) -> None:
        with self._arrived:
            self.reports.append(report)
            self._arrived.notify_all()

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.stop()
        self.compute.switch.stop()
        self.compute.hypervisor.stop()
        self.ledger.close()

    def want(self, document: Document) -> str:
        body = encode(document)
        self._revision = max(self._revision, time.time_ns()) + 1
        envelope = Envelope(
            kind=document.KIND,
            id=document.id,
            version=1,
            digest=digest(body),
            revision=self._revision,
            body=body,
        )
        assert self.ledger.store(envelope)
        self.poke([envelope.key])
        return envelope.digest

    def bury(self, server_id: str) -> None:
        self._revision = max(self._revision, time.time_ns()) + 1
        self.ledger.bury(Tombstone(kind="server", id=server_id, revision=self._revision))
        self.poke([Key("server", server_id)])

    def wait(self, server_id: str, check: Callable[[Report], Any], timeout_s: float = 60.0) -> Report:
        def found() -> Report | None:
            last = [r for r in self.reports if r.id == server_id][-1:]
            return last[0] if last and check(last[0]) else None

        with self._arrived:
            report = self._arrived.wait_for(found, timeout_s)
        assert report, [msgspec.json.encode(r) for r in self.reports if r.id == server_id][-4:]
        return report

    def make(self, server: Server, **expected: Any) -> ServerObserved:
        wanted = self.want(server)

        def check(report: Report) -> bool:
            if report.state != "applied" or report.digest != wanted:
                return False
            seen = msgspec.json.decode(report.observed, type=ServerObserved)
            return all(getattr(seen, name) == value for name, value in expected.items())

        report = self.wait(server.id, check)
        return msgspec.json.decode(report.observed, type=ServerObserved)


class Images(http.server.BaseHTTPRequestHandler):
    counts: dict[str, int] = {}

    def do_GET(self) -> None:
        image_id = self.path.rsplit("/", 1)[1]
        self.counts[image_id] = self.counts.get(image_id, 0) + 1
        body = IMAGES[image_id].read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def wire(*port_ids: str) -> None:
    """What ovs_agent does: marks a tap's row when the switch has it. Waits by the database's own events."""
    for port_id in port_ids:
        tap = f"tap{port_id[:11]}"
        run("ovs-vsctl", "--timeout=60", "wait-until", "Interface", tap, "ofport>0")
        run("ovs-vsctl", "set", "Interface", tap, "external_ids:cumulet-wired=1")


def wiring(*port_ids: str) -> threading.Thread:
    thread = threading.Thread(target=wire, args=port_ids)
    thread.start()
    return thread


def image(**more: Any) -> BootImage:
    body = IMAGES[IMAGE_ID].read_bytes()
    return BootImage(
        id=IMAGE_ID,
        sha512=hashlib.sha512(body).hexdigest(),
        size_bytes=len(body),
        disk_format="qcow2",
        **more,
    )


def a_server(**more: Any) -> Server:
    server_id = str(uuid.uuid4())
    values: dict[str, Any] = {
        "id": server_id,
        "name": "s<1>&",
        "hostname": "s1",
        "project_id": "p",
        "flavor": Flavor(vcpus=1, ram_mib=192, disk_gib=1),
        "power": "on",
        "power_generation": 1,
        "image": image(),
        "interfaces": (a_nic(),),
        "config_drive": InstanceData(
            id=server_id,
            name="s1",
            hostname="s1",
            project_id="p",
            availability_zone="nova",
            instance_type="m1.tiny",
            public_keys=(PublicKey(name="k", type="ssh", data="ssh-ed25519 AAAA k"),),
            user_data=base64.b64encode(b"#!/bin/sh\necho user-data-ran >/dev/console\n").decode(),
        ),
    }
    return Server(**values | more)


def a_nic() -> Interface:
    port_id = str(uuid.uuid4())
    return Interface(
        port_id=port_id, mac_address=f"fa:16:3e:{port_id[:2]}:{port_id[2:4]}:{port_id[4:6]}", mtu=1450
    )
