"""The plans."""

import pathlib

import pytest

from contract.export import Export
from contract.volume import Volume, VolumeImage
from volume_agent import plan

ID = "11111111-2222-4333-8444-555555555555"
IMAGE = VolumeImage(id="i", sha512="s", size_bytes=1, disk_format="raw")


def _volume(size_gib: int = 2, image: VolumeImage | None = None) -> Volume:
    return Volume(id=ID, project_id="p", size_gib=size_gib, backend="b", source_image=image)


@pytest.mark.parametrize(
    ("wanted", "size", "actions"),
    [
        (_volume(), None, (plan.Make(ID, 2 << 30),)),
        (_volume(image=IMAGE), None, (plan.Fill(ID, 2 << 30, IMAGE),)),
        (_volume(image=IMAGE), 2 << 30, ()),
        (_volume(image=IMAGE), 1 << 30, (plan.Grow(ID, 2 << 30),)),
        (_volume(1), 2 << 30, ()),
    ],
)
def test_volume(wanted: Volume, size: int | None, actions: tuple[plan.VolumeAction, ...]) -> None:
    assert plan.volume(wanted, size, was_here=size is not None) == actions


@pytest.mark.parametrize("image", [None, IMAGE])
def test_a_volume_that_is_gone_is_not_made_anew(image: VolumeImage | None) -> None:
    with pytest.raises(plan.VolumeLostError):
        plan.volume(_volume(image=image), None, was_here=True)


def test_export_is_made_anew_only_when_something_differs() -> None:
    document = Export(id=ID, volume_id=ID, iqn="iqn.x:y", lun=1, chap_username="u", chap_password="p")
    wanted = plan.share(document, pathlib.Path("/v"))
    assert plan.is_to_export(wanted, None, is_secret_known=True)
    assert not plan.is_to_export(wanted, wanted, is_secret_known=True)
    assert plan.is_to_export(wanted, wanted, is_secret_known=False)
    other = plan.share(document, pathlib.Path("/w"))
    assert plan.is_to_export(wanted, other, is_secret_known=True)
