"""What other parts get of images: bytes for hosts that sign, and descriptions for servers."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest

from contract import signature
from controller.image.images import lookup
from controller.image.policies import RULES
from controller.image.routes import INTERNAL_SERVICE
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound

Make = Callable[..., dict[str, Any]]
KEYS = {"host-1": b"one" * 10, "host-2": b"two" * 10}


@pytest.fixture
def named() -> set[tuple[str, str]]:
    """(host, image) pairs that documents name."""
    return set()


@pytest.fixture
def internal(client_of: Callable[..., Any], store: Any, named: set[tuple[str, str]]) -> Any:
    tools = {
        "host_key": KEYS.get,
        "may_read_image": lambda session, host, image_id: (host, image_id) in named,
    }
    return client_of(INTERNAL_SERVICE, RULES, tools=tools)


def signed(image_id: str, host: str = "host-1", key: bytes | None = None, age: float = 0.0) -> dict[str, str]:
    at, nonce = f"{time.time() - age:.3f}", secrets.token_hex(4)
    path = f"/internal/images/{image_id}"
    return {
        signature.HOST_HEADER: host,
        signature.TIME_HEADER: at,
        signature.NONCE_HEADER: nonce,
        signature.SIGNATURE_HEADER: signature.sign(key or KEYS.get(host, b""), host, path, at, nonce),
    }


def fetch(internal: Any, image_id: str, headers: dict[str, str]) -> Any:
    return internal.get(f"/images/{image_id}", token="", headers=headers)


def test_a_host_gets_the_images_of_its_documents(internal: Any, image: Make, named: Any) -> None:
    one = image(b"data")["id"]
    named.add(("host-1", one))
    answer = fetch(internal, one, signed(one))
    assert (answer.status_code, answer.content) == (200, b"data")
    assert answer.headers["content-length"] == "4"
    assert fetch(internal, one, signed(one, age=-100)).status_code == 200


def test_and_no_other(internal: Any, image: Make, named: Any) -> None:
    one, other, empty = image(b"data")["id"], image(b"other")["id"], image()["id"]
    named |= {("host-1", one), ("host-1", empty)}
    for image_id in (other, empty, "no-such-image", ".."):
        assert fetch(internal, image_id, signed(image_id)).status_code == 404
    assert fetch(internal, one, signed(one, "host-2")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {signature.SIGNATURE_HEADER: "0" * 64},
        {signature.SIGNATURE_HEADER: "\xe4"},
        {signature.HOST_HEADER: "host-2"},
        {signature.HOST_HEADER: "stranger"},
        {signature.NONCE_HEADER: "other"},
        {signature.TIME_HEADER: "now"},
        {signature.TIME_HEADER: "nan"},
        {signature.SIGNATURE_HEADER: None},
        {signature.HOST_HEADER: None},
        {signature.NONCE_HEADER: None},
    ],
)
def test_bad_signatures(internal: Any, image: Make, named: Any, change: dict[str, str | None]) -> None:
    one = image(b"data")["id"]
    named |= {("host-1", one), ("host-2", one), ("stranger", one)}
    headers = {k: v for k, v in {**signed(one), **change}.items() if v is not None}
    assert fetch(internal, one, headers).status_code == 401


def test_stale_and_foreign_signatures(internal: Any, image: Make, named: Any) -> None:
    one, other = image(b"data")["id"], image(b"other")["id"]
    named |= {("host-1", one), ("host-1", other), ("stranger", one)}
    assert fetch(internal, one, signed(one, age=121)).status_code == 401
    assert fetch(internal, one, signed(one, age=-121)).status_code == 401
    assert fetch(internal, one, signed(other)).status_code == 401
    assert fetch(internal, one, signed(one, "host-1", KEYS["host-2"])).status_code == 401
    assert fetch(internal, one, signed(one, "stranger", b"")).status_code == 401


def test_a_request_is_answered_once(internal: Any, image: Make, named: Any) -> None:
    """Whoever heard it cannot say it again, nor make another one of it."""
    one = image(b"data")["id"]
    named.add(("host-1", one))
    said = signed(one)
    assert internal.call("DELETE", f"/images/{one}", token="", headers=said).status_code == 405
    assert fetch(internal, one, said).status_code == 200
    assert fetch(internal, one, said).status_code == 401
    assert fetch(internal, one, said | {signature.NONCE_HEADER: "another"}).status_code == 401


def test_a_range_that_nobody_signed_changes_nothing(internal: Any, image: Make, named: Any) -> None:
    one = image(b"data")["id"]
    named.add(("host-1", one))
    assert fetch(internal, one, signed(one) | {"Range": "bytes=0-0"}).content == b"data"


def caller(project: str = "a" * 32) -> Caller:
    return Caller(
        user_id="u",
        user_name="u",
        user_domain_id="default",
        project_id=project,
        roles=frozenset({"member", "reader"}),
    )


def test_description_for_a_server(db: Any, image: Make) -> None:
    kernel = image(b"kernel", disk_format="aki", container_format="aki")
    one = image(b"data", name="one", min_ram=64, kernel_id=kernel["id"], os_command_line="quiet")
    queued = image()
    with db.read() as session:
        found = lookup.for_boot(session, caller(), one["id"])
        with pytest.raises(NotFound):
            lookup.for_boot(session, caller("b" * 32), one["id"])
        with pytest.raises(BadRequest, match="not active"):
            lookup.for_boot(session, caller(), queued["id"])
    assert (found.sha512, found.size, found.min_ram) == (one["os_hash_value"], 4, 64)
    assert (found.kernel_id, found.kernel_sha512) == (kernel["id"], kernel["os_hash_value"])
    assert found.ramdisk_id is None
    assert found.properties["os_command_line"] == "quiet"


def test_a_missing_kernel_is_said(db: Any, image: Make) -> None:
    one = image(b"data", kernel_id="11111111-1111-4111-8111-111111111111")
    with db.read() as session:
        with pytest.raises(BadRequest, match="Kernel"):
            lookup.for_boot(session, caller(), one["id"])
        assert lookup.info(session, one["id"]).kernel_sha512 is None
        with pytest.raises(NotFound):
            lookup.info(session, "none")
