"""Documents are filled from rows by name: what the contract gains and the row has needs no word between."""

import types

import msgspec
import pytest

from contract.port import AddressPair, Port
from contract.server import Interface
from controller.db.host_documents import filled

ROW = types.SimpleNamespace(port_id="p", mac_address="m", mtu=1450, tag=None, queues=4)


class WithQueues(Interface, frozen=True, kw_only=True):
    """A contract that has gained a field."""

    queues: int = 1


def test_a_new_field_is_filled_by_its_name() -> None:
    assert filled(WithQueues, ROW).queues == 4
    assert filled(Interface, ROW) == Interface(port_id="p", mac_address="m", mtu=1450)


def test_what_is_computed_comes_before_the_row() -> None:
    assert filled(Interface, ROW, tag="wan").tag == "wan"


def test_lists_of_rows_become_what_the_contract_says() -> None:
    pair = {"ip_address": "10.0.0.9", "mac_address": "m"}
    names = ("id", "network_id", "project_id", "mac_address", "device_id", "device_owner")
    row = types.SimpleNamespace(
        **dict.fromkeys(names, "x"),
        is_admin_up=True,
        is_port_security=True,
        allowed_address_pairs=[pair],
        extra_dhcp_opts=[],
        dns_domain="",
    )
    computed = {"fixed_ips": (), "security_group_ids": ["g"], "hostname": "", "limits": (), "dscp_mark": None}
    computed |= {"parent_port_id": "", "segmentation_id": None}
    port = filled(Port, row, **computed)
    assert port.allowed_address_pairs == (AddressPair(**pair),) and port.security_group_ids == ("g",)


def test_a_field_that_nobody_gives_is_an_error_at_once() -> None:
    with pytest.raises(AttributeError, match="mtu"):
        filled(Interface, types.SimpleNamespace(port_id="p", mac_address="m", tag=None))
    with pytest.raises(msgspec.ValidationError):
        filled(Interface, ROW, mtu="large")
