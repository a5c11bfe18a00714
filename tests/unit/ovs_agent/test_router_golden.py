"""A router's document against golden texts: its namespace, nft, dnsmasq. ``CUMULET_GOLDEN=write`` rewrites."""

import os
import pathlib
import shutil
import subprocess

import msgspec
import pytest

from contract.router import Router
from ovs_agent.namespaces import advertisements, nat
from ovs_agent.namespaces import router as namespaces

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "router"
CASES = sorted(path.name for path in GOLDEN.iterdir())


def document(case: str) -> Router:
    """The document of a case."""
    return msgspec.json.decode((GOLDEN / case / "document.json").read_bytes(), type=Router)


def dnsmasq_text(router: Router) -> str:
    """dnsmasq's configuration; empty when nothing is advertised."""
    files = advertisements.compile_files(router, "/d")
    return files.config if files else ""


@pytest.mark.parametrize("case", CASES)
def test_a_document_compiles_to_the_golden_texts(case: str) -> None:
    router = document(case)
    interior = msgspec.json.encode(namespaces.interior(router), order="deterministic")
    for name, text in (
        ("interior.json", msgspec.json.format(interior, indent=1).decode() + "\n"),
        ("nft", nat.text(nat.compile_nat(router))),
        ("dnsmasq.conf", dnsmasq_text(router)),
    ):
        expected = GOLDEN / case / name
        if os.environ.get("CUMULET_GOLDEN") == "write":
            expected.write_text(text)
        assert text == expected.read_text()


@pytest.mark.parametrize("case", CASES)
def test_dnsmasq_understands_its_configuration(case: str, tmp_path: pathlib.Path) -> None:
    assert shutil.which("dnsmasq"), "install dnsmasq-base"
    (tmp_path / "config").write_text(dnsmasq_text(document(case)).replace("/d/", f"{tmp_path}/"))
    done = subprocess.run(
        ["dnsmasq", "--test", f"--conf-file={tmp_path}/config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_obeyed_is_told() -> None:
    router = document("all_of_it")
    assert "192.0.2.1 is not on a network of the router" in namespaces.interior(router).faults[0]
    assert "icmp has no ports" in nat.compile_nat(router).faults[0]
    lost = namespaces.interior(document("without_gateway")).faults
    assert lost == ("floating IP 172.24.4.10: the router has no gateway",)


def test_no_text_of_a_user_becomes_a_rule() -> None:
    router = document("all_of_it")
    for field, text in (("floating_ip_address", "1.2.3.4 drop"), ("fixed_ip_address", "1.2.3.4\n}")):
        bad = msgspec.structs.replace(router.floating_ips[0], **{field: text})
        with pytest.raises(ValueError, match=r".+"):
            nat.compile_nat(msgspec.structs.replace(router, floating_ips=(bad,)))
    for ports in ("80 accept", "0", "70000", "9:1", ""):
        bad_ports = msgspec.structs.replace(router.port_forwardings[0], external_port=ports)
        with pytest.raises(ValueError, match=r".+"):
            nat.compile_nat(msgspec.structs.replace(router, port_forwardings=(bad_ports,)))
