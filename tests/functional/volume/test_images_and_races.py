"""Volumes made of images, and callers that want the same at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from controller.db.columns import new_uuid
from controller.image.images.model import Image, ImageProperty
from controller.operations.quota import set_limits
from controller.volume.attachments import server
from controller.web.errors import ApiError

ALPHA, BETA = "a" * 32, "b" * 32
GIB = 1 << 30
Until = Callable[[Callable[[], bool]], None]


def image(db: Any, **given: Any) -> str:
    image_id = new_uuid()
    values: dict[str, Any] = {
        "id": image_id, "name": "debian", "status": "active", "owner": ALPHA, "visibility": "private",
        "disk_format": "qcow2", "container_format": "bare", "size": 1000, "virtual_size": GIB,
        "os_hash_algo": "sha512", "os_hash_value": "f" * 128, **given,
    }  # fmt: skip

    def write(session: Any) -> None:
        session.add(Image(**values))
        session.flush()
        session.add(ImageProperty(image_id=image_id, name="hw_disk_bus", value="virtio"))

    db.write(write)
    return image_id


def post(api: Any, image_id: str, size: int = 1, token: str = "member") -> Any:
    return api.post("/v3/volumes", {"volume": {"size": size, "imageRef": image_id}}, token=token)


def test_volume_of_an_image(api: Any, engine: Any, until: Until) -> None:
    host, image_id = engine.host(), image(engine.db)
    host.is_silent = True
    made = post(api, f"http://glance/v2/images/{image_id}")
    assert made.status_code == 202, made.text
    url = f"/v3/volumes/{made.json['volume']['id']}"
    until(lambda: api.get(url).json["volume"]["status"] == "downloading")
    host.speak()
    until(lambda: api.get(url).json["volume"]["status"] == "available")
    volume = api.get(url).json["volume"]
    assert volume["bootable"] == "true"
    assert volume["volume_image_metadata"]["image_id"] == image_id
    assert volume["volume_image_metadata"]["image_name"] == "debian"
    assert volume["volume_image_metadata"]["hw_disk_bus"] == "virtio"
    source = host.volumes[volume["id"]].source_image
    assert (source.id, source.sha512, source.disk_format) == (image_id, "f" * 128, "qcow2")


def test_images_that_will_not_do(api: Any, engine: Any) -> None:
    engine.host()
    db = engine.db
    assert post(api, image(db), token="member@beta").status_code == 400
    assert post(api, image(db, status="queued")).status_code == 400
    assert post(api, image(db, min_disk=2)).status_code == 400
    assert post(api, image(db, virtual_size=GIB + 1)).status_code == 400
    assert post(api, image(db, virtual_size=GIB + 1), size=2).status_code == 202
    assert post(api, "../../etc/passwd").status_code == 400


def test_quota_is_not_passed_twice(api: Any, engine: Any) -> None:
    engine.db.write(lambda s: set_limits(s, ALPHA, "volume", {"volumes": 3}))
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _n: api.post("/v3/volumes", {"volume": {"size": 1}}).status_code, range(16))
        )
    assert sorted(answers) == [202] * 3 + [413] * 13


def test_one_server_gets_a_volume(api: Any, engine: Any, until: Until) -> None:
    engine.host()
    volume_id = api.post("/v3/volumes", {"volume": {"size": 1}}).json["volume"]["id"]
    until(lambda: bool(api.get(f"/v3/volumes/{volume_id}").json["volume"]["status"] == "available"))

    def reserve(_n: int) -> str:
        try:
            engine.db.write(lambda s: server.reserve(s, ALPHA, volume_id, new_uuid(), None))
        except ApiError as error:
            return str(error.status)
        return "ok"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(reserve, range(8))) == ["400"] * 7 + ["ok"]


@pytest.mark.parametrize("is_silent", [True, False])
def test_deleted_on_the_way_usage_returns_to_the_truth(
    api: Any, engine: Any, until: Until, is_silent: bool
) -> None:
    host = engine.host()
    host.is_silent = is_silent
    ids = [api.post("/v3/volumes", {"volume": {"size": 5}}).json["volume"]["id"] for _ in range(5)]
    for volume_id in ids:
        body: dict[str, None] = {"os-force_delete": None}
        answer = api.post(f"/v3/volumes/{volume_id}/action", body, token="admin")
        assert answer.status_code == 202, answer.text
    host.speak()

    def used() -> tuple[int, int]:
        absolute = api.get("/v3/limits").json["limits"]["absolute"]
        return absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]

    until(lambda: used() == (0, 0))
    until(lambda: host.volumes == {})
