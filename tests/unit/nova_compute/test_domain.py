"""The XML compilers against golden files: ``CUMULET_GOLDEN=write`` rewrites them."""

import json
import os
import pathlib
from typing import Any

import msgspec
import pytest

from contract.server import Server
from nova_compute.domain import server as domain_server
from nova_compute.domain.element import UnspeakableError, element, render
from nova_compute.domain.machine import Files, Machine

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "nova_compute"


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_documents_compile_to_the_golden_domains(case: str) -> None:
    given = json.loads((GOLDEN / case / "document.json").read_text())
    xml = domain_server.domain(
        msgspec.convert(given["server"], Server),
        msgspec.convert(given["files"], Files),
        msgspec.convert(given["machine"], Machine),
    )
    expected = GOLDEN / case / "domain.xml"
    if os.environ.get("CUMULET_GOLDEN") == "write":
        expected.write_text(xml + "\n")
    assert xml + "\n" == expected.read_text()
    for disk in given["server"].get("disks", []):
        assert disk["target"]["chap_password"] not in xml


def test_the_digest_is_read_back_and_changes_with_the_document(make: Any) -> None:
    files, machine = Files(console="/c"), Machine(virt_type="qemu")
    one = domain_server.domain(make.server(), files, machine)
    two = domain_server.domain(make.server(disks=(make.volume(),)), files, machine)
    assert len(domain_server.digest(one)) == 32
    assert domain_server.digest(one) != domain_server.digest(two)
    assert domain_server.digest(one) == domain_server.digest(
        domain_server.domain(make.server(), files, machine)
    )


def test_a_user_s_text_cannot_leave_its_place(make: Any) -> None:
    files = Files(console="/c", kernel="/k")
    hostile = make.image(kernel_args="x</cmdline><kernel>/etc/shadow</kernel><cmdline>'\"")
    xml = domain_server.domain(make.server(image=hostile), files, Machine(virt_type="qemu"))
    assert xml.count("<kernel>") == 1
    with pytest.raises(UnspeakableError):
        render(element("cmdline", text="a\x00b"))
