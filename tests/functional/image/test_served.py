"""Image data by way of the real web server: what is cut off on the way, and what is slow."""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).parents[3]
START_S = 60.0
ANSWER_S = 30.0
CHUNK = b"1000\r\n" + bytes(4096) + b"\r\n"
CHUNKED = {"Transfer-Encoding": "chunked"}


class Line:
    """A connection on which requests are written by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> None:
        given = {"Host": "cloud", "X-Auth-Token": "member", **headers}
        head = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in given.items()), "", ""]
        self.socket.sendall("\r\n".join(head).encode() + body)

    def answer(self) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return response


class Server:
    """The image API on a port."""

    def __init__(self, port: int, directory: pathlib.Path) -> None:
        self.port = port
        self.store = directory / "images-store"

    def call(self, method: str, path: str, body: str = "", **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body or None, {"X-Auth-Token": "member", **given})
        return connection.getresponse()

    def image(self) -> str:
        """The path of a queued image."""
        body = '{"disk_format": "raw", "container_format": "bare"}'
        answer = self.call("POST", "/v2/images", body, Content_Type="application/json")
        assert answer.status == 201
        location: str = answer.headers["location"]
        return location[location.index("/v2/") :]

    def upload(self, path: str, headers: dict[str, str], body: bytes) -> Line:
        """An upload whose connection stays open for more."""
        line = Line(self.port)
        line.send("PUT", f"{path}/file", {"Content-Type": "application/octet-stream", **headers}, body)
        return line

    def becomes(self, path: str, status: str) -> None:
        """Waits for the image's status."""
        deadline = time.monotonic() + ANSWER_S
        while f'"status":"{status}"' not in (shown := self.call("GET", path).read().decode()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.02)


@pytest.fixture
def server(tmp_path: pathlib.Path, db: Any) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.fakes.served_images", str(port), str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + START_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    yield Server(port, tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_whole_uploads_are_taken(server: Server) -> None:
    chunked, announced = server.image(), server.image()
    line = server.upload(chunked, CHUNKED, CHUNK * 64 + b"0\r\n\r\n")
    assert line.answer().status == 204
    line = server.upload(announced, {"Content-Length": str(4096 * 64)}, bytes(4096 * 64))
    assert line.answer().status == 204
    for path in (chunked, announced):
        assert server.call("GET", f"{path}/file").read() == bytes(4096 * 64)


@pytest.mark.parametrize("half_closed", [True, False])
@pytest.mark.parametrize("headers", [CHUNKED, {"Content-Length": "1000000"}], ids=["chunked", "announced"])
def test_an_upload_that_is_cut_leaves_a_queued_image(
    server: Server, headers: dict[str, str], half_closed: bool
) -> None:
    path = server.image()
    line = server.upload(path, headers, CHUNK * 64)
    server.becomes(path, "saving")
    if half_closed:
        line.socket.shutdown(socket.SHUT_WR)
        assert line.answer().status == 400
    line.socket.close()
    server.becomes(path, "queued")
    assert not list(server.store.iterdir())


def test_slow_transfers_leave_the_api_free(server: Server) -> None:
    """The one thread that answers calls is held by none of them."""
    slow = [server.upload(server.image(), CHUNKED, CHUNK) for _ in range(3)]
    for length in ("1000000", "40"):
        slow.append(server.upload(server.image(), {"Content-Length": length}, b"x"))
    large = server.image()
    assert server.upload(large, CHUNKED, CHUNK * 8192 + b"0\r\n\r\n").answer().status == 204
    for _ in range(3):
        slow.append(Line(server.port))
        slow[-1].send("GET", f"{large}/file", {})
    assert server.call("GET", "/v2/images").status == 200
    for line in slow:
        line.socket.close()


def test_a_reader_that_leaves_is_forgotten(server: Server) -> None:
    """Its file is closed: else every broken download would hold one for ever."""
    path = server.image()
    server.upload(path, CHUNKED, CHUNK * 8192 + b"0\r\n\r\n").answer()
    line = Line(server.port)
    line.send("GET", f"{path}/file", {})
    assert line.answer().read(4096) == bytes(4096)
    assert _open_files(server.store)
    line.socket.close()
    deadline = time.monotonic() + ANSWER_S
    while _open_files(server.store):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(server: Server) -> None:
    line = Line(server.port)
    line.send("GET", "/v2/images", {"X-Auth-Token": "", "X_Auth_Token": "admin"})
    assert line.answer().status == 401


def _open_files(directory: pathlib.Path) -> list[str]:
    """Files of the directory that any process has open."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith(str(directory)):
            found.append(target)
    return found
