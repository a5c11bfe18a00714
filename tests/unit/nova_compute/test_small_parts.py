"""Probe, console, waits, observation, initiator: what each must hold."""

import itertools
import pathlib
import time
from typing import Any

import libvirt
import pytest
from oslo_config import cfg

from nova_compute import console_log, faults, inventory, observe, options, virt_type, waits
from nova_compute.domain import server as domain_server
from nova_compute.domain.machine import Files, Machine
from nova_compute.host import iscsi, kvm
from nova_compute.host.libvirt import Domain, RefusedError
from nova_compute.host.limited import Limits, ProgramError, run
from ovs_agent import options as ovs_options
from runtime.image_stream import ChecksumError
from runtime.reconcile.outcome import Failed, Retry


def test_the_probe_s_guest_runs_where_guests_run(tmp_path: pathlib.Path) -> None:
    firmware = tmp_path / "rom"
    firmware.write_bytes(kvm.rom())
    assert kvm._reaches_end(str(firmware), "tcg", "max", 20.0)


def test_the_probe_is_asked_once_a_boot(tmp_path: pathlib.Path) -> None:
    asked: list[int] = []

    def runs_guests() -> bool:
        asked.append(1)
        return False

    cache = tmp_path / "virt_type.json"
    assert [virt_type.decide("auto", cache, runs_guests) for _ in range(3)] == ["qemu"] * 3
    assert len(asked) == 1
    cache.write_text(cache.read_text().replace('"boot_id":"', '"boot_id":"another-'))
    virt_type.decide("auto", cache, runs_guests)
    assert len(asked) == 2
    assert virt_type.decide("kvm", cache, runs_guests) == "kvm"
    assert len(asked) == 2


def test_the_console_s_end_is_text_whatever_the_guest_wrote(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "console.log"
    assert console_log.tail(path, None) == ""
    path.write_bytes(b"x" * 200000 + b"\nfirst\n\x1b[1msecond\x00\xff\nlast\n")
    assert console_log.tail(path, 2) == "[1msecond\ufffd\nlast\n"
    assert console_log.tail(path, 0) == ""
    assert len(console_log.tail(path, None)) <= console_log.MAX_BYTES


def test_a_wait_for_ports_becomes_a_fault_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(waits.time, "monotonic", lambda: clock[0])
    held = waits.Waits()
    with pytest.raises(Retry) as early:
        held.check_wiring("s", ("port-1",), 60.0)
    assert early.value.fault is None
    clock[0] += 61
    with pytest.raises(Retry) as late:
        held.check_wiring("s", ("port-1",), 60.0)
    assert late.value.fault is not None and "port-1" in late.value.fault.details
    held.check_wiring("s", (), 60.0)


def test_a_guest_that_keeps_crashing_is_started_more_and_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, starts = [1000.0], []
    monkeypatch.setattr(waits.time, "monotonic", lambda: clock[0])
    held = waits.Waits()
    for _ in range(6):
        while True:
            try:
                held.check_crashes("s", True)
                break
            except Retry as retry:
                clock[0] += retry.after_s
        starts.append(clock[0])
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert [round(gap) for gap in gaps] == [1, 2, 4, 8, 16]


def _domain(make: Any, state: int, reason: int) -> Domain:
    server = make.server(disks=(make.volume(),))
    xml = domain_server.domain(server, Files(console="/c"), Machine(virt_type="qemu"))
    return Domain(
        name="n", uuid=server.id, domain_id=-1, state=state, reason=reason, definition=xml, live=None
    )


def test_a_signal_to_the_process_is_not_the_guest_s_own_shutdown(make: Any) -> None:
    off = _domain(make, libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)
    assert observe.observe(off, is_stopped_by_host=False).reason == "guest"
    assert observe.observe(off, is_stopped_by_host=True).reason == "crash"
    crashed = _domain(make, libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
    assert observe.observe(crashed, is_stopped_by_host=False).reason == "crash"


def test_devices_are_recognised_by_their_names(make: Any) -> None:
    observed = observe.observe(_domain(make, libvirt.VIR_DOMAIN_RUNNING, 1), False)
    assert observed.disks == (make.attachment_id,)
    assert observed.interfaces == (make.port_id,)
    assert observe.observe(None, False).state == "absent"


def test_a_unit_with_another_serial_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "sdx"
    (tmp_path / "sdx").touch()
    page = tmp_path / "page"
    monkeypatch.setattr(iscsi, "_serial_page", lambda _device: page)
    page.write_bytes(b"\x00\x80\x00\x24" + b"c0ffee00-aaaa-4bbb-8ccc-000000000001")
    iscsi.verify(device, "c0ffee00-aaaa-4bbb-8ccc-000000000001")
    with pytest.raises(iscsi.WrongVolumeError):
        iscsi.verify(device, "11111111-aaaa-4bbb-8ccc-000000000001")
    page.unlink()
    with pytest.raises(iscsi.WrongVolumeError):
        iscsi.verify(device, "c0ffee00")


def test_programs_are_stopped_by_their_limits() -> None:
    with pytest.raises(ProgramError, match="did not end"):
        run(["sleep", "10"], Limits(timeout_s=0.2))
    started = time.monotonic()
    with pytest.raises(ProgramError):
        run(["python3", "-c", "x = bytearray(1 << 30)"], Limits(address_space_bytes=256 << 20))
    assert time.monotonic() - started < 5


def test_errors_of_the_edges_are_told_as_retry_or_failed() -> None:
    with pytest.raises(Failed), faults.told():
        raise RefusedError("no such machine type")
    with pytest.raises(Failed, match="Upload it again"), faults.told():
        raise ChecksumError("sha512")
    with pytest.raises(Retry) as retry, faults.told():
        raise FileNotFoundError("disk")
    assert retry.value.fault is not None


def test_cpu_info_has_the_hypervisor_s_shape() -> None:
    first = "processor: 0\nvendor_id\t: V\nmodel name\t: M\nsiblings: 2\ncpu cores: 1\nflags: b a"
    text = f"{first}\n\nprocessor: 1\n"
    info = inventory.cpu_info(text)
    assert (info["vendor"], info["model"], info["features"]) == ("V", "M", ["a", "b"])
    assert info["topology"] == {"cells": 1, "sockets": 1, "cores": 1, "threads": 2}


def test_options_can_live_in_one_process_with_the_switch_agent_s() -> None:
    conf = cfg.ConfigOpts()
    for registering in (options.register, ovs_options.register, options.register):
        registering(conf)
    assert conf.ovs.ovsdb_connection == "unix:/run/openvswitch/db.sock"
