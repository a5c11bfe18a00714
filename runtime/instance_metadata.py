"""What a guest reads about itself, in OpenStack's and EC2's forms: pure functions of InstanceData.

``nova_compute`` writes it to the config drive, ``ovs_agent`` serves it at 169.254.169.254. The shapes are
those of nova's metadata service (``/openstack/latest/*``, ``/latest/meta-data/*``).
"""

import base64
import binascii
import ipaddress
import json
from typing import Any

from contract.instance_data import InstanceAddress, InstanceData, InstanceNic

#: Versions that clients ask for by date, oldest first; each answers with what ``latest`` has.
OPENSTACK_VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "latest",
)
EC2_VERSIONS = ("1.0", "2007-01-19", "2008-02-01", "2008-09-01", "2009-04-04", "latest")


def meta_data(data: InstanceData) -> dict[str, Any]:
    """``meta_data.json``: names, keys and the user's own pairs."""
    document: dict[str, Any] = {
        "uuid": data.id,
        "name": data.name,
        "hostname": data.hostname,
        "availability_zone": data.availability_zone,
        "launch_index": data.launch_index,
        "project_id": data.project_id,
        "reservation_id": data.reservation_id,
        "random_seed": data.random_seed,
        "devices": [],
        "dedicated_cpus": [],
    }
    if data.metadata:
        document["meta"] = dict(data.metadata)
    if data.public_keys:
        document["public_keys"] = {key.name: key.data for key in data.public_keys}
        document["keys"] = [{"name": k.name, "type": k.type, "data": k.data} for k in data.public_keys]
    return document


def network_data(data: InstanceData) -> dict[str, Any]:
    """``network_data.json``: a link for each NIC, a network for each address, the name servers."""
    networks: list[dict[str, Any]] = []
    servers: list[str] = []
    for nic in data.nics:
        for address in nic.addresses:
            networks.append(_network(f"network{len(networks)}", nic, address))
            servers += [s for s in address.dns_nameservers if s not in servers]
    return {
        "links": [_link(nic) for nic in data.nics],
        "networks": networks,
        "services": [{"type": "dns", "address": server} for server in servers],
    }


def vendor_data(_data: InstanceData) -> dict[str, Any]:
    """``vendor_data.json``: the cloud adds nothing of its own."""
    return {}


def user_data(data: InstanceData) -> bytes | None:
    """The bytes that the user gave; None without any."""
    if not data.user_data:
        return None
    try:
        return base64.b64decode(data.user_data)
    except binascii.Error:
        return data.user_data.encode()


def openstack_files(data: InstanceData) -> dict[str, bytes]:
    """The files of one version directory, by name."""
    files = {
        "meta_data.json": _json(meta_data(data)),
        "network_data.json": _json(network_data(data)),
        "vendor_data.json": _json(vendor_data(data)),
        "vendor_data2.json": _json({"static": vendor_data(data)}),
    }
    user = user_data(data)
    return files if user is None else files | {"user_data": user}


def ec2_id(server_id: str) -> str:
    """EC2's short form of a server's id."""
    return f"i-{server_id.replace('-', '')[:8]}"


def ec2_tree(data: InstanceData) -> dict[str, str]:
    """EC2's ``meta-data`` as path → value; directories are the paths' heads."""
    address = _first_ipv4(data)
    tree = {
        "ami-id": f"ami-{(data.image_id or data.id).replace('-', '')[:8]}",
        "ami-launch-index": str(data.launch_index),
        "ami-manifest-path": "FIXME",
        "block-device-mapping/ami": "vda",
        "block-device-mapping/root": "/dev/vda",
        "hostname": data.hostname,
        "instance-action": "none",
        "instance-id": ec2_id(data.id),
        "instance-type": data.instance_type,
        "local-hostname": data.hostname,
        "local-ipv4": address,
        "placement/availability-zone": data.availability_zone,
        "public-hostname": data.hostname,
        "public-ipv4": "",
        "reservation-id": data.reservation_id,
        "security-groups": "\n".join(data.security_groups),
    }
    if data.nics:
        tree["mac"] = data.nics[0].mac_address
    for index, key in enumerate(data.public_keys):
        tree[f"public-keys/{index}/openssh-key"] = key.data
    return tree


def ec2_answer(data: InstanceData, path: str) -> str | None:
    """What ``/latest/meta-data/<path>`` answers: a value, a directory's listing, or None (not found)."""
    tree, path = ec2_tree(data), path.strip("/")
    if path in tree:
        return tree[path]
    if path == "public-keys" and data.public_keys:
        return "\n".join(f"{index}={key.name}" for index, key in enumerate(data.public_keys))
    prefix = f"{path}/" if path else ""
    names = {_first_name(p.removeprefix(prefix)) for p in tree if p.startswith(prefix)}
    return "\n".join(sorted(names)) if names else None


def ec2_document(data: InstanceData) -> dict[str, Any]:
    """EC2's tree as one nested document, as the config drive has it."""
    root: dict[str, Any] = {}
    for path, value in ec2_tree(data).items():
        *directories, name = path.split("/")
        place = root
        for directory in directories:
            place = place.setdefault(directory, {})
        place[name] = value
    return root


def config_drive_files(data: InstanceData) -> dict[str, bytes]:
    """Every file of the config drive by path. Two versions: what is read by date, and ``latest``."""
    files: dict[str, bytes] = {}
    for version in ("2018-08-27", "latest"):
        files |= {f"openstack/{version}/{name}": body for name, body in openstack_files(data).items()}
    user = user_data(data)
    for version in ("2009-04-04", "latest"):
        files[f"ec2/{version}/meta-data.json"] = _json(ec2_document(data))
        if user is not None:
            files[f"ec2/{version}/user-data"] = user
    return files


def _link(nic: InstanceNic) -> dict[str, Any]:
    return {
        "id": _link_id(nic),
        "vif_id": nic.port_id,
        "type": "ovs",
        "mtu": nic.mtu,
        "ethernet_mac_address": nic.mac_address,
    }


def _link_id(nic: InstanceNic) -> str:
    return f"tap{nic.port_id[:11]}"


def _network(name: str, nic: InstanceNic, address: InstanceAddress) -> dict[str, Any]:
    """An address by DHCP is only named; one that the guest sets itself is told in full."""
    told: dict[str, Any] = {
        "id": name,
        "link": _link_id(nic),
        "network_id": address.network_id,
        "type": f"ipv{address.ip_version}_dhcp",
    }
    if address.ipv6_address_mode is None and address.is_dhcp:
        return told
    mode = f"_{address.ipv6_address_mode}" if address.ipv6_address_mode else ""
    return told | {
        "type": f"ipv{address.ip_version}{mode}",
        "ip_address": address.ip_address,
        "netmask": str(ipaddress.ip_network(address.cidr, strict=False).netmask),
        "routes": _routes(address),
        "services": [{"type": "dns", "address": server} for server in address.dns_nameservers],
    }


def _routes(address: InstanceAddress) -> list[dict[str, str]]:
    default = "0.0.0.0/0" if address.ip_version == 4 else "::/0"
    routes = [(default, address.gateway_ip)] if address.gateway_ip else []
    told = []
    for destination, gateway in [*routes, *address.host_routes]:
        network = ipaddress.ip_network(destination, strict=False)
        told.append(
            {
                "network": str(network.network_address),
                "netmask": str(network.netmask),
                "gateway": str(gateway),
            }
        )
    return told


def _first_ipv4(data: InstanceData) -> str:
    addresses = (a.ip_address for nic in data.nics for a in nic.addresses if a.ip_version == 4)
    return next(addresses, "")


def _first_name(path: str) -> str:
    name, slash, _ = path.partition("/")
    return name + slash


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
