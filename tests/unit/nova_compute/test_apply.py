"""The handler on a pretended hypervisor: wherever the agent dies, the next one brings the server home."""

import pathlib
from typing import Any
from xml.etree import ElementTree

import libvirt
import msgspec
import pytest

from contract.document import Key
from contract.server import Imperative, Server, ServerObserved
from nova_compute import apply
from nova_compute.domain import disk
from nova_compute.domain.machine import Files, Machine
from nova_compute.host.libvirt import Domain, HypervisorError
from nova_compute.volumes import Volumes
from runtime import faultpoint
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.outcome import Retry


class PretendedHypervisor:
    """One domain, as libvirt would tell it. A guest that is not ``is_deaf`` obeys at once."""

    def __init__(self) -> None:
        self.definition: str | None = None
        self.live: ElementTree.Element | None = None
        self.state = (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_UNKNOWN)
        self.runs, self.secrets, self.is_deaf, self.fails = 0, set[str](), False, set[str]()

    def domain(self, server_id: str) -> Domain | None:
        if self.definition is None:
            return None
        live = ElementTree.tostring(self.live, encoding="unicode") if self.live is not None else None
        run = self.runs if live else -1
        state, reason = self.state
        return Domain(
            name="n",
            uuid=server_id,
            domain_id=run,
            state=state,
            reason=reason,
            definition=self.definition,
            live=live,
        )

    def define(self, xml: str) -> None:
        self.definition = xml

    def start_paused(self, _server_id: str) -> None:
        assert self.definition is not None and self.live is None
        self.runs += 1
        self.live = ElementTree.fromstring(self.definition)
        for usage in [s.get("usage", "") for s in self.live.iter("secret")]:
            assert usage in self.secrets
        self.state = (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER)

    def resume(self, _server_id: str) -> int:
        self.state = (libvirt.VIR_DOMAIN_RUNNING, 1)
        return self.runs

    def press_power_button(self, _server_id: str) -> None:
        if not self.is_deaf:
            self._off(libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def destroy(self, _server_id: str) -> None:
        if self.live is not None:
            self._off(libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED)

    def undefine(self, _server_id: str) -> None:
        self.definition = None

    def attach(self, _server_id: str, xml: str) -> None:
        device = ElementTree.fromstring(xml)
        alias = device.find("alias")
        assert alias is not None
        if alias.get("name", "") in self.fails:
            raise HypervisorError("no route to host")
        self._devices().append(device)

    def request_detach(self, _server_id: str, alias: str) -> None:
        for device in list(self._devices()):
            if not self.is_deaf and device.find(f"alias[@name='{alias}']") is not None:
                self._devices().remove(device)

    def secret(self, usage: str, value: str) -> Any:
        pretended = self

        class Held:
            def __enter__(self) -> None:
                assert value
                pretended.secrets.add(usage)

            def __exit__(self, *_: object) -> None:
                pretended.secrets.discard(usage)

        return Held()

    def forget_secret(self, usage: str) -> None:
        self.secrets.discard(usage)

    def _off(self, reason: int) -> None:
        self.live = None
        self.state = (libvirt.VIR_DOMAIN_SHUTOFF, reason)

    def _devices(self) -> ElementTree.Element:
        assert self.live is not None
        found = self.live.find("devices")
        assert found is not None
        return found


class PretendedSwitch:
    unwired: tuple[str, ...] = ()

    def missing(self, _port_ids: tuple[str, ...]) -> tuple[str, ...]:
        return self.unwired

    def is_userspace(self) -> bool:
        return True


class PretendedFiles:
    def __init__(self) -> None:
        self.made: set[str] = set()

    def of(self, _server: Server) -> Files:
        return Files(console="/c")

    def make(self, server: Server, has_run: bool) -> None:
        self.made.add(server.id)

    def discard(self, server_id: str) -> None:
        self.made.discard(server_id)


class Bench:
    """A host that outlives its agents."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.ledger = Ledger(directory / "ledger.db")
        self.hypervisor, self.switch, self.files = PretendedHypervisor(), PretendedSwitch(), PretendedFiles()
        self.servers = self.new_agent()

    def new_agent(self) -> apply.Servers:
        host: Any = apply.Host(
            self.ledger,
            self.hypervisor,  # type: ignore[arg-type]
            self.switch,  # type: ignore[arg-type]
            self.files,  # type: ignore[arg-type]
            Volumes(self.hypervisor, has_host_initiator=False),  # type: ignore[arg-type]
            Machine(virt_type="qemu"),
        )
        return apply.Servers(host, apply.Patience(0.05, 0.05, 60.0))

    def settle(self, server: Server) -> ServerObserved:
        """Applies until nothing is to be waited for."""
        for _ in range(10):
            try:
                return self.servers.apply(server)
            except Retry:
                continue
        raise AssertionError("it does not settle")


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> Bench:
    return Bench(tmp_path)


def test_a_life(make: Any, bench: Bench) -> None:
    server = make.server(disks=(make.volume(),))
    seen = bench.settle(server)
    assert (seen.power, seen.disks, seen.interfaces) == ("on", (make.attachment_id,), (make.port_id,))
    assert seen.launched_at
    bare = make.server()
    assert bench.settle(bare).disks == ()
    assert bench.hypervisor.runs == 1
    off = make.server(power="off", power_generation=2)
    assert bench.settle(off).power == "off"
    on = bench.settle(make.server(power_generation=3))
    assert (on.power, on.launched_at) == ("on", seen.launched_at)
    bench.servers.remove(server.id, server)
    bench.servers.remove(server.id, None)
    assert bench.hypervisor.definition is None and not bench.files.made and not bench.hypervisor.secrets
    assert bench.ledger.note(Key("server", server.id)) is None


def test_a_guest_waits_for_its_ports(make: Any, bench: Bench) -> None:
    bench.switch.unwired = (make.port_id,)
    with pytest.raises(Retry) as retry:
        bench.servers.apply(make.server())
    assert retry.value.fault is None
    assert bench.hypervisor.state[0] == libvirt.VIR_DOMAIN_PAUSED
    bench.switch.unwired = ()
    assert bench.servers.apply(make.server()).power == "on"
    assert bench.hypervisor.runs == 1


def test_one_volume_that_cannot_be_had_does_not_keep_the_others_out(make: Any, bench: Bench) -> None:
    bench.settle(make.server())
    bad, good = make.volume(), make.volume(attachment_id="good", device="vdc")
    bench.hypervisor.fails.add(disk.alias(bad.attachment_id))
    server = make.server(disks=(bad, good))
    with pytest.raises(Retry) as retry:
        bench.servers.apply(server)
    assert retry.value.fault is not None and "no route" in retry.value.fault.details
    bench.hypervisor.fails.clear()
    assert set(bench.settle(server).disks) == {bad.attachment_id, "good"}


def test_a_guest_that_keeps_a_device_is_waited_for(make: Any, bench: Bench) -> None:
    bench.settle(make.server(disks=(make.volume(),)))
    bench.hypervisor.is_deaf = True
    with pytest.raises(Retry):
        bench.servers.apply(make.server())
    bench.hypervisor.is_deaf = False
    assert bench.settle(make.server()).disks == ()


def test_no_fault_shows_a_secret(make: Any, bench: Bench) -> None:
    bench.settle(make.server())
    bench.hypervisor.fails.add(disk.alias(make.attachment_id))
    with pytest.raises(Retry) as retry:
        bench.servers.apply(make.server(disks=(make.volume(),)))
    assert "never-shown" not in repr(msgspec.json.encode(retry.value.fault))


POINTS = [
    f"compute.{action}.{side}"
    for action in (
        "define",
        "remember",
        "start",
        "resume",
        "request_shutdown",
        "destroy",
        "attach_disk",
        "detach_disk",
        "detach_interface",
        "attach_interface",
        "finish_operation",
    )
    for side in ("before", "after")
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("passing", [1, 2])
def test_an_agent_that_dies_at_any_action_is_followed_by_one_that_ends_the_work(
    make: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch, point: str, passing: int
) -> None:
    passed: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        if name == point and passed.count(name) == passing:
            raise SystemExit

    monkeypatch.setattr(faultpoint, "point", die)

    def settle(server: Server) -> ServerObserved:
        try:
            return bench.settle(server)
        except SystemExit:
            bench.servers = bench.new_agent()
            return bench.settle(server)

    first = make.server()
    assert settle(first).power == "on"
    more = make.server(disks=(make.volume(),), interfaces=(make.nic(), make.nic(port_id="second")))
    assert settle(more).interfaces == (make.port_id, "second")
    assert settle(first).disks == ()
    for kind in ("reboot_soft", "reboot_hard"):
        runs = bench.hypervisor.runs
        settle(make.server(imperatives=(Imperative(operation_id=kind, kind=kind),)))
        assert bench.hypervisor.runs == runs + 1
    assert settle(make.server(power="off", power_generation=2)).power == "off"
    last = settle(make.server(power_generation=3))
    assert (last.power, last.is_guest_shutdown) == ("on", False)
    assert bench.hypervisor.secrets == set()
    assert point in passed
