"""Whatever is sent to any route of any service: a 4xx in the service's envelope, and nothing done.

Every request is held against the same world and undone. A refused one must have left each table with as
many rows as it had, and is answered in bounded time.
"""

import datetime
import functools
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as some

from controller.db.columns import now
from controller.identity.tokens import payload as payloads
from controller.main.assembly import SERVICES
from controller.web import errors
from controller.web.app import Service
from tests.fakes import bad_input
from tests.fakes.bad_input import Call
from tests.fakes.whole_controller import Whole
from tests.functional.conftest import MARIADB, SQLITE

#: Far above what a request takes on an idle machine (milliseconds).
SLOW_S = 10.0
JSON = {"Content-Type": "application/json"}
#: A microversion at which every field exists.
NEWEST = {"compute": "compute latest", "volume": "volume latest", "placement": "placement latest"}

WRITING = ("POST", "PUT", "PATCH")

services = pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)


def newest(call: Call) -> dict[str, str]:
    """The header that asks for the newest microversion."""
    version = NEWEST.get(call.service.name)
    return {"OpenStack-API-Version": version} if version else {}


class Sweep:
    """Sends requests, and collects what is wrong with the answers."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.wrong: list[str] = []
        self.sent = 0
        self._rows = whole.db.rows()

    def send(self, call: Call, path: str, body: Any = None, **more: Any) -> Any:
        """One request; the answer may be good, or a refusal that changed nothing."""
        more["headers"] = {**newest(call), **more.get("headers", {})}
        began = time.monotonic()
        answer = self.whole.call(call.method, path, body, **more)
        took = time.monotonic() - began
        self.sent += 1
        said = f"{call.method} {path[:120]} {str(more.get('raw', body))[:160]!r} → {answer.status_code}"
        if answer.status_code >= 500:
            self.wrong.append(f"{said} {answer.text[:200]}")
        elif answer.status_code >= 400:
            if not self._is_envelope(call.service, answer):
                self.wrong.append(f"{said} in no envelope: {answer.text[:200]!r}")
            if call.method != "GET" and (rows := self.whole.db.rows()) != self._rows:
                changes = {t: (n, rows[t]) for t, n in self._rows.items() if rows[t] != n}
                self.wrong.append(f"{said} but rows changed: {changes}")
        if took > SLOW_S:
            self.wrong.append(f"{said} after {took:.1f} s")
        self.whole.db.undo()
        return answer

    def expect(self, answer: Any, allowed: tuple[int, ...], what: str) -> None:
        """Notes an answer that is none of ``allowed``."""
        if answer.status_code not in allowed:
            self.wrong.append(f"{what} → {answer.status_code}, not {allowed}: {answer.text[:160]}")

    def done(self) -> None:
        """Fails if anything was wrong."""
        print(f"{self.sent} requests")
        assert not self.wrong, f"{len(self.wrong)} wrong:\n" + "\n".join(self.wrong[:60])

    def _is_envelope(self, service: Service, answer: Any) -> bool:
        kinds = [k for k in _tree(errors.ApiError) if k.status == answer.status_code]
        try:
            found = answer.json
        except ValueError:
            return False
        return any(
            _shape(service.envelope(kind("x"))) == _shape(found) for kind in kinds or [errors.ApiError]
        )


def _tree(kind: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _shape(v) for k, v in value.items() if k not in ("min_version", "max_version")}
    return [_shape(v) for v in value] if isinstance(value, list) else None


@pytest.fixture(scope="module", params=[SQLITE, MARIADB])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    directory = tmp_path_factory.mktemp("whole")
    url = f"sqlite:///{directory}/test.db"
    if request.param == MARIADB:
        url = request.getfixturevalue("mariadb").url
    made = Whole(url, directory)
    made.db.hold()
    yield made
    made.db.close()


@pytest.fixture
def sweep(whole: Whole) -> Iterator[Sweep]:
    made = Sweep(whole)
    yield made
    made.done()


def _calls(whole: Whole, service: Service) -> list[Call]:
    """Those of a service; where each route hangs at two places, those at the shorter one."""
    every = bad_input.calls(whole.cloud, service)
    return [c for c in every if not c.path.startswith(("/volume/v3/{project_id}/", "/compute/v2/"))]


@services
def test_values_of_bodies(whole: Whole, sweep: Sweep, service: Service) -> None:
    for call in _calls(whole, service):
        if not call.is_there or call.method not in WRITING:
            continue
        path = call.filled(whole.own)
        for sample in bad_input.samples(call):
            for number, body in enumerate(bad_input.changed(sample)):
                token = "" if call.is_public else ("admin", "member")[number % 5 == 0]
                sweep.send(call, path, body, token=token)


@services
def test_bodies_that_are_none(whole: Whole, sweep: Sweep, service: Service) -> None:
    big = b'{"x": "' + b"x" * (1 << 20) + b'"}'
    for call in _calls(whole, service):
        is_stream = call.path.endswith(("/file", "/stage"))
        if not call.is_there or call.method not in WRITING or is_stream:
            continue
        path = call.filled(whole.own)
        token = "" if call.is_public else "admin"
        for raw in (*bad_input.RAW, big):
            answer = sweep.send(call, path, raw=raw, headers=JSON, token=token)
            is_read = answer.status_code >= 400
            if is_read:
                sweep.expect(
                    answer, (400, 401, 403, 404, 405, 409, 413, 415), f"{call.method} {path} {raw[:30]!r}"
                )
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "x/\x7f",
            "application/json; charset=x",
        ):
            sweep.send(call, path, raw=b"a=b", headers={"Content-Type": kind}, token=token)


@services
def test_ids(whole: Whole, sweep: Sweep, service: Service) -> None:
    """Unknown, hostile and foreign ones; nobody touches what is of another project."""
    for call in _calls(whole, service):
        if not call.is_there or not call.parameters:
            continue
        body = None if call.method in ("GET", "DELETE") else bad_input.samples(call)[0]
        for text in bad_input.PATH_TEXTS:
            sweep.send(call, call.filled({}, text), body, token="admin")
        kind = call.path.split("/{")[0].rsplit("/", 1)[-1]
        is_owned = kind in whole.foreign and kind not in ("flavors", "roles", "projects", "users")
        if is_owned and service.name in ("network", "volume", "compute", "image"):
            answer = sweep.send(call, call.filled(whole.own | {kind: whole.foreign[kind]}), body)
            allowed: tuple[int, ...] = (400, 403, 404, 405, 409, 415)
            if call.method == "GET":
                unknown = sweep.send(call, call.filled(whole.own | {kind: str(uuid.uuid4())}))
                allowed = (unknown.status_code,) if unknown.status_code == 403 else (404,)
            sweep.expect(answer, allowed, f"foreign {call.method} {call.path}")


@services
def test_no_answer_tells_of_another_project(whole: Whole, service: Service) -> None:
    """Whatever a member may GET, asked as if all projects were his: no id of what is not his is in it."""
    ids = {whole.foreign[kind] for kind in whole.foreign if kind not in ("flavors", "roles")}
    project = whole.foreign["projects"]
    asked = 0
    for call in _calls(whole, service):
        if call.method != "GET" or not call.is_there:
            continue
        for query in (
            "",
            "all_tenants=1",
            "all_projects=true",
            f"project_id={project}",
            f"tenant_id={project}",
        ):
            answer = whole.call(
                "GET", f"{call.filled(whole.own)}?{query}", None, "member", headers=newest(call)
            )
            said = answer.text.replace(query, "")  # links repeat it
            asked += answer.status_code == 200
            told = sorted(one for one in ids if one in said)
            assert answer.status_code != 200 or not told, f"{call.path}?{query}: {told} in {said[:2000]}"
    assert asked or service.is_public


@services
def test_queries(whole: Whole, sweep: Sweep, service: Service) -> None:
    for call in _calls(whole, service):
        if call.method == "GET" and call.is_there:
            for number, query in enumerate(bad_input.QUERIES):
                token = "" if call.is_public else ("admin", "member")[number % 2]
                sweep.send(call, f"{call.filled(whole.own)}?{query}", token=token)


@services
def test_tokens_and_methods(whole: Whole, sweep: Sweep, service: Service) -> None:
    bad = {"none": "", "wrong": "gAAAA" + "x" * 100, "odd": "\u00ff\u00fe", "huge": "g" * 20_000}
    bad |= {"expired": _expired(whole), "cut": whole.tokens["admin"][:-5]}
    for call in bad_input.calls(whole.cloud, service):
        path = call.filled(whole.own)
        for name, token in bad.items():
            if not call.is_public:
                answer = sweep.send(call, path, {}, token=token)
                sweep.expect(answer, (401,), f"{call.method} {path} with {name} token")
        if not call.is_there:
            answer = sweep.send(call, path, {}, token="member")
            sweep.expect(answer, (404, 405), f"{call.method} {path}")
    for method in ("TRACE", "PROPFIND", "CONNECT"):
        odd = Call(service, method, f"{service.prefix}/", False)
        sweep.expect(sweep.send(odd, odd.path, token="admin"), (400, 404, 405), f"{method} {odd.path}")


@services
def test_a_route_without_a_rule_is_listed_here(whole: Whole, service: Service) -> None:
    """A caller without any role: a registered rule is asked (an unregistered one is a 500), or nothing is."""
    unguarded = set()
    for call in _calls(whole, service):
        if not call.is_there or call.is_public:
            continue
        rules = set()
        for body in [None] if call.method in ("GET", "DELETE") else bad_input.samples(call):
            whole.policy.asked.clear()
            path = call.filled(whole.own | {"actions": "deactivate"})
            for headers in ({}, newest(call)):  # some exist at old microversions only, some at new ones
                answer = whole.call(call.method, path, body, "nobody", headers=headers)
                whole.db.undo()
                assert answer.status_code < 500, f"{call.method} {call.path}: {answer.text}"
            rules.update(rule for asked in whole.policy.asked.values() for rule in asked)
        if not rules:
            unguarded.add(f"{call.method} {call.path.removeprefix(service.prefix)}")
    assert unguarded == UNGUARDED.get(service.name, set())


#: Routes that every caller with a token may use, whatever his roles.
UNGUARDED: dict[str, set[str]] = {}


def _expired(whole: Whole) -> str:
    raw = payloads.decode(whole.identity.keys.decrypt(whole.tokens["admin"]))
    past = payloads.microseconds(now() - datetime.timedelta(seconds=1))
    fields = {name: getattr(raw, name) for name in raw.__struct_fields__}
    return whole.identity.keys.encrypt(payloads.encode(payloads.Payload(**{**fields, "expires_us": past})))


@functools.cache
def _samples(whole: Whole) -> list[tuple[Call, Any]]:
    """Everything that can be written, with what is nearly right for it."""
    writing = [c for s in SERVICES for c in _calls(whole, s) if c.is_there and c.method in WRITING]
    return [(call, sample) for call in writing for sample in bad_input.samples(call)]


_TEXTS = some.text(max_size=40) | some.sampled_from([v for v in bad_input.VALUES if isinstance(v, str)])
_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | _TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)


@seed(20260101)
@settings(
    max_examples=400,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=some.data())
def test_anything(whole: Whole, data: some.DataObject) -> None:
    """Any JSON in place of any value, on any route."""
    call, sample = data.draw(some.sampled_from(_samples(whole)))
    pointers = list(bad_input.pointers(sample))
    pointer = data.draw(some.sampled_from(pointers)) if pointers else ()
    body = bad_input.with_value(sample, pointer, data.draw(_JSON))
    sweep = Sweep(whole)
    try:
        sweep.send(call, call.filled(whole.own), body, token="" if call.is_public else "admin")
    except UnicodeEncodeError:  # the client's own refusal of a lone surrogate
        whole.db.undo()
    sweep.done()
