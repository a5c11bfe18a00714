"""A private tgtd, a server of image bytes, and a host over both. Needs root, tgt and qemu-block-extra."""

import hashlib
import http.server
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.document import Document, Envelope, Key, Tombstone, digest, encode
from contract.export import Export
from contract.volume import Volume, VolumeImage

HERE = pathlib.Path(__file__).parent
PORT = 33261
PASSWORD = "correct-horse-battery"


def _load_inside() -> Any:
    specification = importlib.util.spec_from_file_location("volume_agent_inside", HERE / "inside.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Tgtd:
    """A tgtd of our own, on a port of its own."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.socket = directory / "socket.0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        command = ["tgtd", "-f", "-C", "0", "-t", "2", "--iscsi", f"portal=127.0.0.1:{PORT}"]
        environment = {**os.environ, "TGT_IPC_SOCKET": str(self.socket).removesuffix(".0")}
        log = (self.socket.parent / "tgtd.log").open("ab")
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait(lambda: self.tgtadm("--mode", "target", "--op", "show").returncode == 0)

    def kill(self) -> None:
        """Ends it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def cpu_s(self) -> float:
        """What it has computed so far."""
        assert self.process is not None
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tgtadm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The outside view, by tgt's own tool."""
        environment = {**os.environ, "TGT_IPC_SOCKET": str(self.socket).removesuffix(".0")}
        command = ["tgtadm", "-C", "0", "--lld", "iscsi", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def shown(self) -> str:
        """Targets and accounts as text."""
        targets = self.tgtadm("--mode", "target", "--op", "show").stdout
        return targets + self.tgtadm("--mode", "account", "--op", "show").stdout


class ImageServer:
    """Gives image bytes where the controller would."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                file = outer.directory / self.path.rpartition("/")[2]
                self.send_response(200 if file.exists() else 404)
                self.end_headers()
                if file.exists():
                    self.wfile.write(file.read_bytes())

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, source: pathlib.Path, disk_format: str) -> VolumeImage:
        """Offers a file as an image."""
        image_id = str(uuid.uuid4())
        body = source.read_bytes()
        (self.directory / image_id).write_bytes(body)
        sha512 = hashlib.sha512(body).hexdigest()
        return VolumeImage(id=image_id, sha512=sha512, size_bytes=len(body), disk_format=disk_format)

    def stop(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


class Lab:
    """Everything together, and the shortest words for what tests do."""

    def __init__(self, tmp_path: pathlib.Path, tgtd: Tgtd, images: ImageServer) -> None:
        self.state = tmp_path / "state"
        self.tgtd = tgtd
        self.images = images
        self.host = _load_inside().Host(self.state, tgtd.socket, images.url)
        self.revision = 0

    def put(self, document: Document) -> Key:
        """Stores a document in the ledger, as a pull would."""
        self.revision += 1
        body = encode(document)
        self.host.ledger.store(
            Envelope(
                kind=document.KIND,
                id=document.id,
                version=1,
                digest=digest(body),
                revision=self.revision,
                body=body,
            )
        )
        return Key(document.KIND, document.id)

    def bury(self, key: Key) -> None:
        """Stores a tombstone."""
        self.revision += 1
        self.host.ledger.bury(Tombstone(kind=key.kind, id=key.id, revision=self.revision))

    def volume(self, image: VolumeImage | None = None, size_gib: int = 1) -> Volume:
        """A new volume's document."""
        return Volume(
            id=str(uuid.uuid4()), project_id="p", size_gib=size_gib, backend="b", source_image=image
        )

    def export(self, volume: Volume, **changes: Any) -> Export:
        """A new export's document."""
        export_id = str(uuid.uuid4())
        values: dict[str, Any] = {
            "volume_id": volume.id,
            "iqn": f"iqn.2026-01.cloud.cumulet:{export_id}",
            "lun": 1,
            "chap_username": f"user-{export_id[:8]}",
            "chap_password": PASSWORD,
        }
        return Export(id=export_id, **(values | changes))

    def inside(self, faults: pathlib.Path | None = None) -> subprocess.CompletedProcess[str]:
        """Applies the ledger in a process of its own, which may be killed by a fault point."""
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
        if faults is not None:
            environment["CUMULET_FAULTS"] = str(faults)
        command = [
            sys.executable,
            str(HERE / "inside.py"),
            str(self.state),
            str(self.tgtd.socket),
            self.images.url,
        ]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )


def wait(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Until ``condition`` holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


@pytest.fixture
def tgtd(tmp_path: pathlib.Path) -> Iterator[Tgtd]:
    """A running tgtd. Its socket's path must be short."""
    directory = pathlib.Path("/run") / f"tgt-{uuid.uuid4().hex[:8]}"
    directory.mkdir()
    tgtd = Tgtd(directory)
    tgtd.start()
    yield tgtd
    tgtd.kill()
    shutil.rmtree(directory)


@pytest.fixture
def lab(tmp_path: pathlib.Path, tgtd: Tgtd) -> Iterator[Lab]:
    """A host with volumes under ``tmp_path``."""
    served = tmp_path / "served"
    served.mkdir()
    images = ImageServer(served)
    lab = Lab(tmp_path, tgtd, images)
    yield lab
    images.stop()
    lab.host.ledger.close()
