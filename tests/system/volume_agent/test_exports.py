"""Exports by a real tgtd, used by a real initiator (QEMU's libiscsi)."""

import pathlib
import subprocess
import threading
import time
from typing import Any

import pytest

from contract.export import Export
from runtime.reconcile.outcome import Failed, Retry
from volume_agent import observe
from volume_agent.exports.watch import TgtWatch
from volume_agent.host.tgtadm import Tgtadm

PORTAL = "127.0.0.1:33261"
PASSWORD = "correct-horse-battery"
INITIATOR = "iqn.2026-01.cloud.cumulet:initiator"


def _command(export: Export, *commands: str, **changes: str) -> list[str]:
    """qemu-io as an initiator that runs ``commands``."""
    values = {
        "driver": "iscsi",
        "transport": "tcp",
        "portal": PORTAL,
        "target": export.iqn,
        "lun": str(export.lun),
        "user": export.chap_username,
        "password": export.chap_password,
        "initiator-name": INITIATOR,
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    options = ",".join(f"{name}={value}" for name, value in values.items())
    is_reader = all(command.startswith(("read", "sleep")) for command in commands)
    words = [word for command in commands for word in ("-c", command)]
    return ["qemu-io", "--image-opts", *(["-r"] if is_reader else []), options, *words]


def _io(export: Export, *commands: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = _command(export, *commands, **changes)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_written_and_read_through_iscsi(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume, lun=3)
    lab.host.volumes.apply(volume)
    seen = lab.host.exports.apply(export)
    assert (seen.is_exported, seen.portal, seen.lun) == (True, PORTAL, 3)
    assert _io(export, "write -P 0x5a 1M 64k", "flush").returncode == 0
    assert "Pattern verification failed" not in _io(export, "read -P 0x5a 1M 64k", "read -P 0 2M 64k").stdout
    with lab.host.backend.path(volume.id).open("rb") as file:
        file.seek(1 << 20)
        assert file.read(4096) == b"\x5a" * 4096


def test_wrong_password_user_and_initiator_are_refused(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume, initiator=INITIATOR)
    lab.host.volumes.apply(volume)
    lab.host.exports.apply(export)
    assert _io(export, "read 0 512").returncode == 0
    assert "Authentication" in _io(export, "read 0 512", password="wrong-password-1").stderr
    assert _io(export, "read 0 512", user="somebody").returncode != 0
    other = f"{INITIATOR}2"
    assert _io(export, "read 0 512", initiator_name=other).returncode != 0


def test_account_of_one_export_does_not_open_another(lab: Any) -> None:
    first, second = lab.volume(), lab.volume()
    exports = [lab.export(first), lab.export(second)]
    for volume, export in zip((first, second), exports, strict=True):
        lab.host.volumes.apply(volume)
        lab.host.exports.apply(export)
    stolen = {"user": exports[0].chap_username, "password": exports[0].chap_password}
    assert _io(exports[1], "read 0 512", **stolen).returncode != 0
    taken = lab.export(second, chap_username=exports[0].chap_username)
    with pytest.raises(Failed):
        lab.host.exports.apply(taken)
    assert _io(exports[0], "read 0 512").returncode == 0


def test_read_only_is_read_only(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume, is_read_only=True)
    lab.host.volumes.apply(volume)
    lab.host.exports.apply(export)
    assert _io(export, "read 0 512").returncode == 0
    assert _io(export, "write -P 1 0 512").returncode != 0
    with lab.host.backend.path(volume.id).open("rb") as file:
        assert file.read(512) == bytes(512)


def test_serial_is_the_volume(lab: Any) -> None:
    volume = lab.volume()
    lab.host.volumes.apply(volume)
    lab.host.exports.apply(lab.export(volume))
    assert f"SCSI SN: {volume.id}" in lab.tgtd.shown()
    assert f"SCSI ID: {volume.id}" in lab.tgtd.shown()


def test_password_is_in_no_command_line_and_no_listing(lab: Any) -> None:
    volume = lab.volume()
    lab.host.volumes.apply(volume)
    lines: list[bytes] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    lines.append(path.read_bytes())
                except OSError:
                    continue

    looker = threading.Thread(target=look)
    looker.start()
    lab.host.exports.apply(lab.export(volume))
    stop.set()
    looker.join()
    assert not any(PASSWORD.encode() in line for line in lines)
    assert PASSWORD not in lab.tgtd.shown()


def test_applied_again_leaves_sessions_alone(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    lab.host.volumes.apply(volume)
    lab.host.exports.apply(export)
    before = lab.tgtd.shown()
    lab.host.exports.apply(export)
    assert lab.tgtd.shown() == before
    changed = lab.export(
        volume, iqn=export.iqn, chap_username=export.chap_username, chap_password="another-password"
    )
    lab.host.exports.apply(changed)
    assert _io(export, "read 0 512").returncode != 0
    assert _io(changed, "read 0 512").returncode == 0


def test_removing_ends_sessions_of_this_target_only_and_leaves_nothing(lab: Any) -> None:
    volume, other = lab.volume(), lab.volume()
    export, kept = lab.export(volume), lab.export(other)
    for each in (volume, other):
        lab.host.volumes.apply(each)
    lab.host.exports.apply(export)
    lab.host.exports.apply(kept)
    busy = subprocess.Popen(_command(export, "sleep 60000"))
    while "I_T nexus: " not in lab.tgtd.shown():
        time.sleep(0.02)
    with pytest.raises(Retry):
        lab.host.volumes.remove(volume.id, volume)
    lab.host.exports.remove(export.id, export)
    lab.host.exports.remove(export.id, export)
    assert export.iqn not in lab.tgtd.shown()
    assert export.chap_username not in lab.tgtd.shown()
    assert _io(kept, "read 0 512").returncode == 0
    lab.host.volumes.remove(volume.id, volume)
    assert lab.host.backend.find(volume.id) is None
    assert not lab.host.backend.path(volume.id).exists()
    busy.kill()
    busy.wait()


def test_export_waits_for_its_volume_and_deletion_for_its_exports(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    with pytest.raises(Retry) as waits:
        lab.host.exports.apply(export)
    assert waits.value.fault
    lab.host.loop.start()
    export_key = lab.put(export)
    volume_key = lab.put(volume)
    lab.host.poke([export_key, volume_key])
    wait_for(lambda: any(r.kind == "export" and r.state == "applied" for r in lab.host.reports))
    lab.bury(volume_key)
    lab.host.poke([volume_key])
    wait_for(
        lambda: (
            lab.host.reports[-1].state == "retrying"
            and "still exported" in lab.host.reports[-1].fault.message
        )
    )
    lab.bury(export_key)
    started = time.monotonic()
    lab.host.poke([export_key])
    wait_for(lambda: any(r.kind == "volume" and r.state == "removed" for r in lab.host.reports))
    assert time.monotonic() - started < 1.0, "the export's removal pokes its volume"
    lab.host.loop.stop()


def test_tgtd_back_from_a_crash_exports_everything_again(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    keys = [lab.put(volume), lab.put(export)]
    lab.host.loop.start()
    lab.host.poke(keys)
    wait_for(lambda: export.iqn in lab.tgtd.shown())
    watch = TgtWatch(Tgtadm(lab.tgtd.socket), lab.tgtd.socket, lambda: lab.host.poke([keys[1]]))
    watch.start()
    for _ in range(2):
        lab.tgtd.kill()
        time.sleep(1.2)
        lab.tgtd.start()
        started = time.monotonic()
        wait_for(lambda: export.iqn in lab.tgtd.shown())
        assert time.monotonic() - started < 0.5
        assert _io(export, "read 0 512").returncode == 0
    watch.stop()
    lab.host.loop.stop()


def test_an_agent_that_goes_leaves_tgtd_at_rest(lab: Any) -> None:
    started = threading.Event()
    watch = TgtWatch(Tgtadm(lab.tgtd.socket), lab.tgtd.socket, started.set)
    watch.start()
    assert started.wait(5)
    watch.stop()
    before = lab.tgtd.cpu_s()
    time.sleep(1)
    assert lab.tgtd.cpu_s() - before < 0.05


def test_without_tgtd_exports_wait_and_removal_is_done(lab: Any) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    lab.host.volumes.apply(volume)
    lab.tgtd.kill()
    with pytest.raises(Retry):
        lab.host.exports.apply(export)
    lab.host.exports.remove(export.id, export)
    lab.host.volumes.remove(volume.id, volume)


def test_doctor_sees_known_and_unknown(lab: Any) -> None:
    known, stranger = lab.volume(), lab.volume()
    lab.put(known)
    for volume in (known, stranger):
        lab.host.volumes.apply(volume)
    export = lab.export(stranger)
    lab.host.exports.apply(export)
    findings = observe.inspect(lab.host.ledger, lab.host.backend, lab.host.exporter).findings
    seen = {(f.kind, f.place, f.is_known) for f in findings}
    assert ("volume", str(lab.host.backend.path(known.id)), True) in seen
    assert ("volume", str(lab.host.backend.path(stranger.id)), False) in seen
    assert ("export", export.iqn, False) in seen


def test_speed(lab: Any) -> None:
    def timed(work: Any, *arguments: Any) -> float:
        started = time.monotonic()
        work(*arguments)
        return time.monotonic() - started

    times: dict[str, list[float]] = {"create": [], "export": [], "unexport": [], "delete": []}
    for _ in range(5):
        volume = lab.volume()
        export = lab.export(volume)
        times["create"].append(timed(lab.host.volumes.apply, volume))
        times["export"].append(timed(lab.host.exports.apply, export))
        times["unexport"].append(timed(lab.host.exports.remove, export.id, export))
        times["delete"].append(timed(lab.host.volumes.remove, volume.id, volume))
    best = {name: sorted(values)[len(values) // 2] for name, values in times.items()}
    print({name: f"{value * 1000:.1f} ms" for name, value in best.items()})
    assert best["create"] < 0.10
    assert best["export"] < 0.05
    assert best["delete"] < 0.15


def wait_for(condition: Any, timeout_s: float = 10.0) -> None:
    """Until ``condition`` holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)
