"""The compilers against golden files: ``CUMULET_GOLDEN=write`` rewrites them."""

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import msgspec
import pytest

from contract.address_group import AddressGroup
from contract.network import Network
from contract.port import Port
from contract.security_group import SecurityGroup
from contract.segment import Segment
from ovs_agent.flows.flow import cookie
from ovs_agent.flows.network import Seat
from ovs_agent.flows.pipeline import View, compile_owner
from ovs_agent.flows.provider import Uplink
from ovs_agent.flows.tunnel import Plumbing
from ovs_agent.namespaces import dhcp

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "ovs_agent"
CASES = sorted(path.name for path in GOLDEN.iterdir())


def view_of(given: dict[str, Any]) -> View:
    """What the agent would hold with these documents."""
    ports = msgspec.convert(given["port"], list[Port])
    places = given["places"]
    return View(
        epoch=7,
        plumbing=Plumbing(1, 1, 2, {n: Uplink(*told) for n, told in places.get("uplinks", {}).items()}),
        seats={p.id: Seat(p, places["ports"][p.id], places.get("trunks", {}).get(p.id)) for p in ports},
        services=places["services"],
        numbers=places["numbers"],
        networks={n.id: n for n in msgspec.convert(given["network"], list[Network])},
        segments={s.id: s for s in msgspec.convert(given["segment"], list[Segment])},
        address_groups={g.id: g for g in msgspec.convert(given.get("address_group", []), list[AddressGroup])},
        groups={g.id: g for g in msgspec.convert(given.get("security_group", []), list[SecurityGroup])},
    )


def flows_text(view: View) -> tuple[str, str]:
    """All flows of both bridges, as ovs-ofctl reads them."""
    integration, tunnel = [], []
    for owner in view.owners():
        compiled = compile_owner(view, owner)
        integration += [flow.text(cookie(owner)) for flow in compiled.integration]
        tunnel += [flow.text(cookie(owner)) for flow in compiled.tunnel]
    return "\n".join(integration) + "\n", "\n".join(tunnel) + "\n"


def dnsmasq_text(view: View) -> str:
    """All files of dnsmasq in one text."""
    (network,) = view.networks.values()
    files = dhcp.compile_files(network, [seat.port for seat in view.seats.values()], "/d", ("9.9.9.9",))
    parts = ("config", "hosts", "options", "names")
    return "".join(f"### {part}\n{getattr(files, part)}" for part in parts)


@pytest.mark.parametrize("case", CASES)
def test_documents_compile_to_the_golden_text(case: str) -> None:
    view = view_of(json.loads((GOLDEN / case / "documents.json").read_text()))
    integration, tunnel = flows_text(view)
    for name, text in (
        ("flows.txt", integration),
        ("tunnel_flows.txt", tunnel),
        ("dnsmasq.conf", dnsmasq_text(view)),
    ):
        expected = GOLDEN / case / name
        if os.environ.get("CUMULET_GOLDEN") == "write":
            expected.write_text(text)
        assert text == expected.read_text()


def test_limits_become_meters() -> None:
    view = view_of(json.loads((GOLDEN / "limited" / "documents.json").read_text()))
    meters = [meter.text for owner in view.owners() for meter in compile_owner(view, owner).meters]
    assert meters == (GOLDEN / "limited" / "meters.txt").read_text().splitlines()


@pytest.mark.parametrize("case", CASES)
def test_ovs_ofctl_understands_every_flow(case: str) -> None:
    assert shutil.which("ovs-ofctl"), "install openvswitch-switch"
    for name in ("flows.txt", "tunnel_flows.txt"):
        done = subprocess.run(
            ["ovs-ofctl", "-O", "OpenFlow14", "parse-flows", str(GOLDEN / case / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", CASES)
def test_dnsmasq_understands_its_configuration(case: str, tmp_path: pathlib.Path) -> None:
    assert shutil.which("dnsmasq"), "install dnsmasq-base"
    view = view_of(json.loads((GOLDEN / case / "documents.json").read_text()))
    config = dnsmasq_text(view).partition("### hosts")[0]
    (tmp_path / "config").write_text(config.replace("/d/", f"{tmp_path}/"))
    done = subprocess.run(
        ["dnsmasq", "--test", f"--conf-file={tmp_path}/config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", CASES)
def test_no_two_flows_of_one_owner_share_a_place(case: str) -> None:
    view = view_of(json.loads((GOLDEN / case / "documents.json").read_text()))
    for owner in view.owners():
        for flows in (compile_owner(view, owner).integration, compile_owner(view, owner).tunnel):
            assert len({flow.place for flow in flows}) == len(flows)
