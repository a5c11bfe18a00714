"""The image cache: what is refused, what is trusted, and that it is streamed once."""

import hashlib
import pathlib
import subprocess
import threading
from typing import Any

import pytest

from nova_compute import images
from nova_compute.host import qemu_img

CANARY = "/etc/passwd"


def qemu(*arguments: str) -> None:
    subprocess.run(["qemu-img", *arguments], check=True, capture_output=True)


def make_image(kind: str, path: pathlib.Path) -> None:
    """Hostile and honest images by name."""
    if kind == "honest":
        qemu("create", "-q", "-f", "qcow2", str(path), "8M")
    elif kind == "backing file":
        qemu("create", "-q", "-f", "qcow2", "-F", "raw", "-b", CANARY, str(path), "8M")
    elif kind == "data file":
        data = path.with_name("data.raw")
        qemu("create", "-q", "-f", "qcow2", "-o", f"data_file={data},data_file_raw=on", str(path), "8M")
    elif kind == "vmdk descriptor":
        extent = f'RW 16 FLAT "{CANARY}" 0'
        path.write_text(
            f'# Disk DescriptorFile\nversion=1\nCID=fffffffe\ncreateType="monolithicFlat"\n{extent}\n'
        )
    elif kind == "raw":
        path.write_bytes(bytes(1 << 20))


class Source:
    """Stands for the controller's image bytes."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path, self.fetched = path, 0
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self, _image: tuple[str, str], target: pathlib.Path) -> None:
        self.fetched += 1
        assert self.gate.wait(5)
        target.write_bytes(self.path.read_bytes())


@pytest.fixture
def source(tmp_path: pathlib.Path) -> Source:
    path = tmp_path / "source"
    make_image("honest", path)
    return Source(path)


@pytest.fixture
def told() -> list[set[str]]:
    return []


@pytest.fixture
def cache(tmp_path: pathlib.Path, source: Source, told: list[set[str]]) -> images.ImageCache:
    directory = tmp_path / "images"
    directory.mkdir()
    return images.ImageCache(directory, source.fetch, told.append)


def document(make: Any, source: Source, disk_format: str = "qcow2") -> Any:
    sha512 = hashlib.sha512(source.path.read_bytes()).hexdigest()
    return make.image(sha512=sha512, disk_format=disk_format)


def test_what_a_killed_agent_left_is_taken_away(tmp_path: pathlib.Path) -> None:
    """Streamed in part, converted in part, and in part of what was to be converted."""
    for name in ("id", "id.json", "id.1a2b.part", "id.new", "id.new.1a2b.part"):
        (tmp_path / name).touch()
    images.ImageCache(tmp_path, lambda *_: pytest.fail("fetched"), lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {"id", "id.json"}


@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        ("backing file", "qcow2"),
        ("data file", "qcow2"),
        ("vmdk descriptor", "vmdk"),
        ("honest", "raw"),
        ("backing file", "raw"),
        ("raw", "qcow2"),
        ("honest", "unheard-of"),
    ],
)
def test_hostile_or_mistaken_images_are_refused_and_leave_nothing(
    make: Any, cache: images.ImageCache, source: Source, tmp_path: pathlib.Path, kind: str, declared: str
) -> None:
    make_image(kind, source.path)
    with pytest.raises(images.ImageRefusedError):
        cache.make_ready(document(make, source, declared), 1, "s")
    assert list((tmp_path / "images").iterdir()) == []


def test_no_program_reads_an_image_before_it_was_inspected(
    make: Any, cache: images.ImageCache, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_image("backing file", source.path)
    monkeypatch.setattr(qemu_img.limited, "run", lambda *_: pytest.fail("a program ran"))
    with pytest.raises(images.ImageRefusedError):
        cache.make_ready(document(make, source), 1, "s")


def test_an_image_larger_than_the_disk_is_refused_with_the_sizes(
    make: Any, cache: images.ImageCache, source: Source
) -> None:
    qemu("create", "-q", "-f", "qcow2", str(source.path), "3G")
    with pytest.raises(images.ImageRefusedError, match=r"needs a disk of 3 GiB, the flavor has 1"):
        cache.make_ready(document(make, source), 1, "s")
    assert cache.make_ready(document(make, source), 0, "s") == 3 << 30


def test_a_cached_image_is_used_again_until_it_is_touched(
    make: Any, cache: images.ImageCache, source: Source
) -> None:
    image = document(make, source)
    for _ in range(3):
        assert cache.make_ready(image, 1, "s") == 8 << 20
    assert source.fetched == 1
    with cache.path(image.id).open("r+b") as file:
        file.seek(70000)
        file.write(b"tampered")
    cache.make_ready(image, 1, "s")
    assert source.fetched == 2
    assert cache.path(image.id).read_bytes() == source.path.read_bytes()


def test_others_wait_for_the_one_download_without_holding_a_worker(
    make: Any, cache: images.ImageCache, source: Source, told: list[set[str]]
) -> None:
    image = document(make, source)
    source.gate.clear()
    first = threading.Thread(target=cache.make_ready, args=(image, 1, "first"))
    first.start()
    while not source.fetched:
        pass
    for server_id in ("second", "third"):
        with pytest.raises(images.ImageBusyError):
            cache.make_ready(image, 1, server_id)
    source.gate.set()
    first.join()
    assert told == [{"second", "third"}]
    cache.make_ready(image, 1, "second")
    assert source.fetched == 1


def test_a_format_that_servers_do_not_run_from_is_rewritten(
    make: Any, cache: images.ImageCache, source: Source
) -> None:
    qemu("create", "-q", "-f", "vdi", str(source.path), "8M")
    image = document(make, source, "vdi")
    cache.make_ready(image, 1, "s")
    assert images.base_format("vdi") == "qcow2"
    assert qemu_img.info(cache.path(image.id), "qcow2").virtual_size == 8 << 20
