"""Image data: complete or not at all, whatever happens on the way."""

import contextlib
import errno
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from controller.image import options
from controller.image.images import delete, store, upload
from controller.image.images.upload import Incoming, Place
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Gone, InsufficientStorage, UnsupportedMedia

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def place(db: Any, store: Any) -> Place:
    return Place(db, store)


@pytest.fixture
def member(conf: Any) -> Any:
    return Caller(
        user_id="u",
        user_name="u",
        user_domain_id="default",
        project_id="a" * 32,
        roles=frozenset({"member", "reader"}),
    )


def file_of(image: dict[str, Any]) -> str:
    return f"/v2/images/{image['id']}/file"


def status_of(api: Any, image: dict[str, Any]) -> str:
    status: str = api.get(f"/v2/images/{image['id']}").json["status"]
    return status


class Stream:
    """Chunks, with something that happens before the last one."""

    def __init__(self, *chunks: bytes, before_last: Callable[[], None] = lambda: None) -> None:
        self._chunks = list(chunks)
        self._before_last = before_last

    def read(self, _size: int, /) -> bytes:
        if len(self._chunks) == 1:
            self._before_last()
        return self._chunks.pop(0) if self._chunks else b""


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_up_and_down(api: Any, image: Make) -> None:
    data = bytes(range(256)) * 5000
    one = image(data)
    assert (one["status"], one["size"], one["virtual_size"]) == ("active", len(data), len(data))
    assert one["checksum"] == hashlib.md5(data).hexdigest()
    assert (one["os_hash_algo"], one["os_hash_value"]) == ("sha512", hashlib.sha512(data).hexdigest())
    answer = api.get(file_of(one))
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-md5"] == one["checksum"]
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-4", 206, b"01234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=5-100", 206, b"56789"),
        ("bytes=-100", 206, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=5-4", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=-", 416, None),
        ("items=0-1", 416, None),
    ],
)
def test_ranges(api: Any, image: Make, asked: str, status: int, part: bytes | None) -> None:
    answer = api.get(file_of(image(b"0123456789")), headers={"Range": asked})
    assert answer.status_code == status
    if part is not None:
        assert answer.content == part
        assert answer.headers["content-range"].endswith("/10")


def test_range_in_the_old_form(api: Any, image: Make) -> None:
    one = image(b"0123456789")
    answer = api.get(file_of(one), headers={"Content-Range": "bytes 2-3/10"})
    assert (answer.status_code, answer.content) == (206, b"23")
    assert api.get(file_of(one), headers={"Content-Range": "bytes 2-3/11"}).status_code == 416


def test_no_data_is_204(api: Any, image: Make) -> None:
    answer = api.get(file_of(image()))
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_empty_image(api: Any, image: Make) -> None:
    one = image(b"")
    assert (one["status"], one["size"]) == ("active", 0)
    assert api.get(file_of(one)).content == b""


def test_refusals_before_data(api: Any, image: Make, put: Any, store: Any) -> None:
    one = image()
    assert put(one["id"], b"x", Content_Type="application/json").status_code == 415
    assert put(one["id"], b"x", token="member@beta").status_code == 404
    assert put("..", b"x").status_code == 404
    assert put(image(disk_format=None)["id"], b"x").status_code == 400
    assert put(one["id"], b"x", X_OpenStack_Image_Size="2").status_code == 400
    assert put(image(b"x")["id"], b"x").status_code == 409
    public = image(token="admin@admin", visibility="public")
    assert put(public["id"], b"x").status_code == 403
    assert len(store.names()) == 1


def test_too_large(conf: Any, api: Any, image: Make, place: Place, member: Any) -> None:
    one = image()
    with pytest.raises(Exception, match="larger"):
        upload.upload(place, member, one["id"], Incoming(Stream(b"123", b"456"), cap=5))
    assert status_of(api, one) == "queued" and not place.store.names()


@pytest.mark.parametrize(
    ("stream", "length", "raised"),
    [
        (Stream(b"12", b"34", before_last=fails(ConnectionResetError())), 4, BadRequest),
        (Stream(b"12"), 4, BadRequest),
        (Stream(b"QFI\xfb\x00\x00\x00\x09" + bytes(1 << 16)), None, UnsupportedMedia),
    ],
)
def test_what_did_not_arrive_leaves_nothing(
    api: Any, image: Make, place: Place, member: Any, stream: Any, length: int | None, raised: type[Exception]
) -> None:
    one = image(disk_format="qcow2")
    with pytest.raises(raised):
        upload.upload(place, member, one["id"], Incoming(stream, length))
    assert status_of(api, one) == "queued" and not place.store.names()
    upload.upload(place, member, one["id"], Incoming(Stream(b"fine"), 4, is_strict=False))
    assert status_of(api, one) == "active"


def test_full_disk(api: Any, image: Make, place: Place, member: Any, monkeypatch: Any) -> None:
    def full(_part: Any, _chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    one = image()
    monkeypatch.setattr(store.Part, "write", full)
    with pytest.raises(InsufficientStorage):
        upload.upload(place, member, one["id"], Incoming(Stream(b"x")))
    assert status_of(api, one) == "queued" and not place.store.names()


def test_two_uploads_at_once(api: Any, image: Make, place: Place, member: Any) -> None:
    one = image()
    outcome: list[Any] = []

    def second() -> None:
        with contextlib.suppress(Conflict):
            upload.upload(place, member, one["id"], Incoming(Stream(b"second")))
            outcome.append("second")

    def run() -> None:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    upload.upload(place, member, one["id"], Incoming(Stream(b"fi", b"rst", before_last=run)))
    assert outcome == []
    assert api.get(file_of(one)).content == b"first"


def test_deleted_during_upload(api: Any, image: Make, place: Place, member: Any) -> None:
    one = image()
    stream = Stream(b"1", b"2", before_last=lambda: api.delete(f"/v2/images/{one['id']}"))
    with pytest.raises(Gone):
        upload.upload(place, member, one["id"], Incoming(stream))
    assert not place.store.names()


def test_who_reads_reads_on_after_delete(api: Any, image: Make, store: Any) -> None:
    one = image(b"data")
    with store.open(one["id"]) as file:
        assert api.delete(f"/v2/images/{one['id']}").status_code == 204
        assert file.read() == b"data"


def test_a_dead_uploader_is_noticed(api: Any, image: Make, place: Place, member: Any) -> None:
    """As after a kill: the row says saving, a part lies there, nobody has the lock."""
    dead, alive = image(), image()
    place.db.write(lambda s: upload.states.move(s, dead["id"], "upload"))
    place.store.directory.mkdir()
    (place.store.directory / f"{dead['id']}.part").write_bytes(b"half")
    (place.store.directory / dead["id"]).write_bytes(b"whole, but not yet known")

    def look() -> None:
        delete.tidy(place)
        assert status_of(api, dead) == "queued"
        assert status_of(api, alive) == "saving"
        assert set(place.store.names()) == {alive["id"]}

    upload.upload(place, member, alive["id"], Incoming(Stream(b"1", b"2", before_last=look)))
    delete.tidy(place)
    assert status_of(api, alive) == "active"
    assert place.store.names() == {alive["id"]: {""}}


def test_what_a_database_does_not_know_stays(place: Place) -> None:
    """It may be an older copy, or a new one; half of an upload is of no use to any."""
    unknown, half = (f"{letter * 8}-0000-0000-0000-{'0' * 12}" for letter in "ab")
    place.store.directory.mkdir()
    (place.store.directory / unknown).write_bytes(b"all of an image")
    (place.store.directory / f"{half}.part").write_bytes(b"half")
    delete.tidy(place)
    assert place.store.names() == {unknown: {""}}


def test_a_dead_uploader_is_replaced(api: Any, image: Make, place: Place, member: Any) -> None:
    one = image()
    place.db.write(lambda s: upload.states.move(s, one["id"], "upload"))
    upload.upload(place, member, one["id"], Incoming(Stream(b"new")))
    assert api.get(file_of(one)).content == b"new"


def test_bytes_stay_while_a_host_needs_them(api: Any, image: Make, place: Place, member: Any) -> None:
    one = image(b"data")
    place.db.write(lambda s: delete.delete(s, member, one["id"]))
    delete.purge(place, lambda session, image_id: True)
    delete.tidy(place)
    assert place.store.names()
    delete.purge(place, lambda session, image_id: False)
    assert not place.store.names()


def test_import_of_staged_data(api: Any, image: Make, put: Any, store: Any) -> None:
    one = image()
    path, body = f"/v2/images/{one['id']}", {"method": {"name": "glance-direct"}}
    assert api.post(f"{path}/import", body).status_code == 409
    assert put(one["id"], b"data", to="stage").status_code == 204
    shown = api.get(path).json
    assert (shown["status"], shown["size"], shown["checksum"]) == ("uploading", 4, None)
    assert put(one["id"], b"other", to="stage").status_code == 409
    assert put(one["id"], b"other").status_code == 409
    assert api.get(f"{path}/file").status_code == 204
    for bad in ({}, {"method": {}}, {"method": {"name": "copy-image"}}, {"method": 5}, []):
        assert api.post(f"{path}/import", bad).status_code == 400
    assert api.post(f"{path}/import", body).status_code == 202
    shown = api.get(path).json
    assert (shown["status"], shown["checksum"]) == ("active", hashlib.md5(b"data").hexdigest())
    assert api.get(f"{path}/file").content == b"data"
    assert store.names() == {one["id"]: {""}}
    assert api.get(f"{path}/tasks").json == {"tasks": []}


def test_what_is_announced_works(api: Any, image: Make, put: Any) -> None:
    methods = api.get("/v2/info/import").json["import-methods"]["value"]
    made = api.post("/v2/images", {"disk_format": "raw", "container_format": "bare"})
    assert made.headers["openstack-image-import-methods"] == ",".join(methods)
    assert methods
    for method in methods:
        one = image()
        assert put(one["id"], b"data", to="stage").status_code == 204
        body = {"method": {"name": method}}
        assert api.post(f"/v2/images/{one['id']}/import", body).status_code == 202
        assert api.get(file_of(one)).content == b"data"


def test_what_does_not_work_cannot_be_announced(conf: Any) -> None:
    options.register(conf)
    with pytest.raises(ValueError, match="web-download"):
        conf.set_override("import_methods", ["web-download"], group="image")


def test_where_no_import_is_wanted_none_is_announced(conf: Any, api: Any, image: Make, put: Any) -> None:
    conf.set_override("import_methods", [], group="image")
    assert api.get("/v2/info/import").json["import-methods"]["value"] == []
    one = image()
    assert put(one["id"], b"data", to="stage").status_code == 404
    body = {"method": {"name": "glance-direct"}}
    assert api.post(f"/v2/images/{one['id']}/import", body).status_code == 400
