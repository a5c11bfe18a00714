"""Reading tgtd's text, and refusing values that it would read as two."""

import pathlib

import pytest

from volume_agent.host import tgtadm

TEXT = """\
Target 7: iqn.2026-01.lab:x
    System information:
        Driver: iscsi
        State: ready
    I_T nexus information:
        I_T nexus: 2
            Initiator: iqn.2026-01.lab:i alias: none
            Connection: 0
                IP Address: 127.0.0.1
    LUN information:
        LUN: 0
            Type: controller
            Backing store path: None
        LUN: 3
            Type: disk
            SCSI SN: 11111111-2222-4333-8444-555555555555
            Readonly: Yes
            Backing store path: /v/a b
            Backing store flags:
    Account information:
        user
    ACL information:
        ALL
Target 9: iqn.2026-01.lab:y
    System information:
        Driver: iscsi
"""


def test_targets_are_read() -> None:
    first, second = tgtadm.parse_targets(TEXT)
    unit = tgtadm.Unit(3, "/v/a b", "11111111-2222-4333-8444-555555555555", True)
    assert first == tgtadm.Target(7, "iqn.2026-01.lab:x", (unit,), ("user",), ("ALL",), 1)
    assert second == tgtadm.Target(9, "iqn.2026-01.lab:y")


@pytest.mark.parametrize("value", ["a,b", "a b", "a\nb", "", "a\0b", "ä"])
def test_values_with_separators_are_refused_and_passwords_not_shown(value: str) -> None:
    tgt = tgtadm.Tgtadm(pathlib.Path("/nowhere"))
    with pytest.raises(tgtadm.ValueRefusedError) as refused:
        tgt.new_account("user", value)
    assert not value or value not in str(refused.value)


def test_no_tgtd_is_told_apart() -> None:
    with pytest.raises(tgtadm.UnreachableError):
        tgtadm.Tgtadm(pathlib.Path("/nowhere/socket.0")).targets()
