"""Which storage host takes a volume."""

from controller.scheduler.volume_pick import StorageHost, VolumeRequest, pick


def host(name: str, free_gib: int = 100, backend: str = "lvm", **more: object) -> StorageHost:
    given = {"is_up": True, **more}
    return StorageHost(host=name, backend=backend, free_gib=free_gib, **given)  # type: ignore[arg-type]


def names(request: VolumeRequest, *hosts: StorageHost) -> list[str]:
    return [h.host for h in pick(request, hosts).candidates]


def test_most_space_first_then_by_name() -> None:
    assert names(VolumeRequest(size_gib=1), host("b"), host("a"), host("c", 200)) == ["c", "a", "b"]


def test_reasons_are_told() -> None:
    ranking = pick(
        VolumeRequest(size_gib=50, backend="lvm", availability_zone="nova"),
        [
            host("full", 49),
            host("other", backend="ssd"),
            host("down", is_up=False),
            host("off", is_disabled=True),
            host("cold", frozen="another database"),
            host("far", availability_zone="moon"),
        ],
    )
    assert ranking.candidates == ()
    assert [(r.host, r.filter) for r in ranking.rejections] == [
        ("full", "Capacity"),
        ("other", "Backend"),
        ("down", "VolumeAlive"),
        ("off", "VolumeEnabled"),
        ("cold", "VolumeAlive"),
        ("far", "AvailabilityZone"),
    ]
    assert "full: it has 49 GiB left of the 50 needed" in ranking.explain()


def test_nobody_is_told_too() -> None:
    assert "start volume-agent" in pick(VolumeRequest(size_gib=1), []).explain()
