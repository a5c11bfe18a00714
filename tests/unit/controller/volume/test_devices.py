"""Names of disks."""

from controller.volume.attachments import devices


def test_next_free() -> None:
    assert devices.next_free([]) == "vdb"
    assert devices.next_free(["vda", "vdb", "vdd"]) == "vdc"
    assert devices.next_free([f"vd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"]) == "vdaa"
