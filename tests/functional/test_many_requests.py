"""Many requests: memory stays flat under bad ones, callers are never mixed up, and no secret is repeated."""

import concurrent.futures
import io
import json
import logging
import pathlib
import random
import time
from collections.abc import Iterator
from typing import Any

import falcon
import pytest

from controller.identity.tokens.validate import authenticate
from controller.main.assembly import SERVICES
from controller.web import app as web
from controller.web.errors import keystone_envelope
from controller.web.resource import Resource, answer, caller_of
from runtime import log
from tests.fakes import bad_input
from tests.fakes.whole_controller import Whole

#: SECURITY row 23: so many bad requests, and so much more memory at most after the first quarter.
BAD_REQUESTS = 20_000
GROWTH_MIB = 6.0
#: SECURITY row 14.
USERS, REQUESTS, THREADS = 100, 10_000, 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    directory = tmp_path_factory.mktemp("many")
    made = Whole(f"sqlite:///{directory}/test.db", directory)
    yield made
    made.db.close()


def request(
    app: web.WsgiApp, method: str, path: str, token: str = "", body: bytes = b""
) -> tuple[int, bytes]:
    """The status and body of an answer, without the checks (and the cost) of a test client."""
    seen: list[str] = []
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "cloud",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "cloud",
        "HTTP_X_AUTH_TOKEN": token,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    data = b"".join(app(environ, lambda status, _headers, *_rest: seen.append(status)))
    return int(seen[0][:3]), data


def resident_mib() -> float:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


def test_memory_stays_flat_under_bad_requests(whole: Whole, caplog: pytest.LogCaptureFixture) -> None:
    chosen = random.Random(7)
    paths = [c.filled(whole.own) for s in SERVICES for c in bad_input.calls(whole.cloud, s)]
    tokens = ["", "gAAAAwrong", *3 * [whole.tokens["admin"]], whole.tokens["nobody"]]
    flat = 0.0
    with caplog.at_level(logging.CRITICAL):
        for number in range(BAD_REQUESTS):
            path = chosen.choice(paths)
            kind = number % 4
            method = f"M{number}" if number % 50 == 0 else ("POST", "PUT", "PATCH", "GET")[kind]
            if kind == 3:
                path = f"{path}x{number}?limit=-{number}&marker={number}"
            body = chosen.choice(bad_input.RAW) if number % 3 else json.dumps({"x": "y" * number}).encode()
            status, _ = request(whole.app, method, path, chosen.choice(tokens), body)
            assert status < 500, (method, path, body[:80])
            caplog.clear()
            if number == BAD_REQUESTS // 4:
                flat = resident_mib()
    grown = resident_mib() - flat
    print(f"after {BAD_REQUESTS} requests: {grown:+.1f} MiB since the first quarter")
    assert grown < GROWTH_MIB


class Mirror(Resource):
    """Says who asks, after others had their turn."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        before = caller_of(req), log.request_id()
        time.sleep(0)
        after = caller_of(req), log.request_id()
        caller = after[0]
        answer(resp, [before == after, caller.user_name, caller.project_name, sorted(caller.roles)])


def test_callers_are_never_mixed_up(whole: Whole) -> None:
    service = web.Service("mirror", "/mirror", [("/who", Mirror)], keystone_envelope)
    check = authenticate(whole.db, whole.identity.keys)
    app = web.mount([("/mirror", web.build(service, whole.cloud, check))], whole.app)
    roles = {
        n: whole.must("GET", f"/identity/v3/roles?name={n}", token="admin") for n in ("reader", "member")
    }
    tokens = [_user(whole, n, roles[("reader", "member")[n % 2]]["roles"][0]) for n in range(USERS)]

    def ask(number: int) -> tuple[int, Any]:
        status, data = request(app, "GET", "/mirror/who", tokens[number % USERS])
        return number % USERS, json.loads(data) if status == 200 else status

    order = list(range(REQUESTS))
    random.Random(8).shuffle(order)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for user, said in pool.map(ask, order):
            of = ["member", "reader"] if user % 2 else ["reader"]
            assert said == [True, f"many-{user}", f"many-{user}", of], user


def _user(whole: Whole, number: int, role: dict[str, str]) -> str:
    name, password = f"many-{number}", f"password-{number}"
    user = whole.must("POST", "/identity/v3/users", {"user": {"name": name, "password": password}}, "admin")
    project = whole.must("POST", "/identity/v3/projects", {"project": {"name": name}}, "admin")
    grant = f"projects/{project['project']['id']}/users/{user['user']['id']}/roles/{role['id']}"
    whole.must("PUT", f"/identity/v3/{grant}", token="admin")
    return whole.login(name, password, name)


SECRET = "S3cr3t-never-repeated"
#: Names whose values nobody may find again in an answer that refuses, or in a log.
SECRET_NAMES = (
    "password",
    "original_password",
    "secret",
    "adminPass",
    "user_data",
    "blob",
    "auth_password",
    "private_key",
)


def _seeded(value: Any) -> Any:
    """The body with the secret in every place that holds one."""
    if isinstance(value, dict):
        return {k: SECRET if k in SECRET_NAMES else _seeded(v) for k, v in value.items()}
    return [_seeded(v) for v in value] if isinstance(value, list) else value


def _wrong(body: Any) -> Iterator[Any]:
    """Bodies that hold the secret and are refused: a value beside it, above it or the secret's own type."""
    for pointer in bad_input.pointers(body):
        if pointer[-1] in SECRET_NAMES:
            for own in ([SECRET], {"x": SECRET}, SECRET * 5000, f"{SECRET}\0"):
                yield bad_input.with_value(body, pointer, own)
            holder = pointer[:-1]
            yield bad_input.with_value(body, (*holder, "no such name"), 1)
            yield bad_input.with_value(body, (*holder, "name"), {"x": 1})
            if holder:
                yield bad_input.with_value(body, holder, [{pointer[-1]: SECRET}])


def test_secrets_are_in_no_refusal_and_no_log(whole: Whole, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = 0
    for service in SERVICES:
        for call in bad_input.calls(whole.cloud, service):
            if not call.is_there or call.method in ("GET", "DELETE") or "{project_id}/" in call.path[:24]:
                continue
            for sample in map(_seeded, bad_input.samples(call)):
                for body in _wrong(sample):
                    token = "" if call.is_public else "admin"
                    heard = whole.call(call.method, call.filled(whole.own), body, token)
                    sent += 1
                    if heard.status_code >= 400:
                        assert SECRET not in heard.text, f"{call.method} {call.path}: {heard.text}"
    assert sent > 50
    assert SECRET not in caplog.text
    for token in filter(None, whole.tokens.values()):
        assert token not in caplog.text and "password-of-" not in caplog.text


def test_statements_are_logged_without_their_values(whole: Whole) -> None:
    """An error of the database is logged with its traceback, which would name every value."""
    assert whole.db.engine.hide_parameters
