"""What every backend must hold, one suite for all."""

import pathlib
import uuid

import pytest

from volume_agent.backends.interface import Backend

MIB = 1 << 20
SIZE = 8 * MIB


@pytest.fixture
def volume_id(backend: Backend) -> str:
    """An id nobody has; what is left of it goes."""
    return str(uuid.uuid4())


def _head(path: pathlib.Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MIB)


def test_made_reads_zeros_and_is_listed(backend: Backend, volume_id: str) -> None:
    assert backend.find(volume_id) is None
    backend.make(volume_id, SIZE)
    assert backend.find(volume_id) == SIZE
    assert backend.volumes()[volume_id] == SIZE
    assert _head(backend.path(volume_id)) == bytes(MIB)
    backend.wipe(volume_id)
    assert backend.find(volume_id) is None
    assert volume_id not in backend.volumes()


def test_prepared_is_no_volume_until_finished(backend: Backend, volume_id: str) -> None:
    path = backend.prepare(volume_id, SIZE)
    assert _head(path) == bytes(MIB)
    with path.open("rb+") as file:
        file.write(b"filled")
    assert backend.find(volume_id) is None
    assert volume_id not in backend.volumes()
    backend.finish(volume_id)
    assert backend.find(volume_id) == SIZE
    assert _head(backend.path(volume_id)).startswith(b"filled")
    backend.wipe(volume_id)


def test_preparing_again_starts_from_zeros(backend: Backend, volume_id: str) -> None:
    with backend.prepare(volume_id, SIZE).open("rb+") as file:
        file.write(b"half")
    assert _head(backend.prepare(volume_id, SIZE)) == bytes(MIB)
    backend.discard(volume_id)
    backend.discard(volume_id)
    assert backend.find(volume_id) is None


def test_wipe_takes_prepared_ones_and_may_be_repeated(backend: Backend, volume_id: str) -> None:
    path = backend.prepare(volume_id, SIZE)
    backend.wipe(volume_id)
    assert not path.exists()
    backend.wipe(volume_id)


def test_grow_keeps_bytes_and_never_shrinks(backend: Backend, volume_id: str) -> None:
    backend.make(volume_id, SIZE)
    with backend.path(volume_id).open("rb+") as file:
        file.write(b"mine")
    backend.grow(volume_id, 2 * SIZE)
    backend.grow(volume_id, 2 * SIZE)
    backend.grow(volume_id, SIZE)
    assert backend.find(volume_id) == 2 * SIZE
    assert _head(backend.path(volume_id)).startswith(b"mine")
    backend.wipe(volume_id)


def test_new_volume_never_shows_the_former_one(backend: Backend, volume_id: str) -> None:
    backend.make(volume_id, SIZE)
    with backend.path(volume_id).open("rb+") as file:
        file.write(b"secret of the former owner")
    backend.wipe(volume_id)
    backend.make(volume_id, SIZE)
    assert _head(backend.path(volume_id)) == bytes(MIB)
    backend.wipe(volume_id)


def test_capacity(backend: Backend) -> None:
    capacity = backend.capacity()
    assert capacity.total >= capacity.free >= 0


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "x y", "", "a,b"])
def test_ids_are_uuids(backend: Backend, hostile: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        backend.path(hostile)
