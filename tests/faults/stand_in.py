"""A guest without a machine: a namespace on the tap of a port, which answers pings as a guest would.

On the real switch and as the agent wires any tap; made in a moment, where a guest takes seconds to boot.
"""

from dataclasses import dataclass
from typing import Any

from tests.faults.cloud import Cloud, output_of, run

#: Of their ports: nobody else has such, and no quota or host counts them as a server's.
OWNER = "tests:stand-in"


@dataclass(frozen=True)
class StandIn:
    """One, and its port."""

    cloud: Cloud
    port: Any

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return str(self.port.fixed_ips[0]["ip_address"])

    @property
    def namespace(self) -> str:
        """Its name on this machine."""
        return f"guest-{self.port.id[:8]}"

    def plug(self, gateway: str) -> "StandIn":
        """Starts it; ``gateway`` is its router."""
        tap, inner = self._links()
        _must("ip", "netns", "add", self.namespace)
        _must("ip", "link", "add", tap, "type", "veth", "peer", "name", inner)
        for link in (tap, inner):
            _must("ethtool", "-K", link, "tx", "off")
        _must("ip", "link", "set", inner, "netns", self.namespace)
        inside = ("ip", "-n", self.namespace)
        _must(*inside, "link", "set", inner, "address", self.port.mac_address)
        _must(*inside, "address", "add", f"{self.address}/24", "dev", inner)
        _must(*inside, "link", "set", inner, "up")
        _must(*inside, "route", "add", "default", "via", gateway)
        _must("ip", "link", "set", tap, "up")
        ids = f"external_ids:iface-id={self.port.id}"
        _must("ovs-vsctl", "add-port", "br-int", tap, "--", "set", "interface", tap, ids)
        port_id = self.port.id
        self.cloud.until(lambda: self.cloud.sdk.network.get_port(port_id).status == "ACTIVE", "its port")
        return self

    def pings(self) -> int:
        """How many pings it was sent."""
        told = output_of("ip", "netns", "exec", self.namespace, "cat", "/proc/net/snmp")
        head, figures = (line.split() for line in told.splitlines() if line.startswith("Icmp:"))
        return int(figures[head.index("InEchos")])

    def remove(self) -> None:
        """Ends it, and its port."""
        run("ovs-vsctl", "--if-exists", "del-port", self._links()[0])
        run("ip", "netns", "delete", self.namespace)
        self.cloud.sdk.network.delete_port(self.port)

    def _links(self) -> tuple[str, str]:
        return f"tap{self.port.id[:11]}", f"gst{self.port.id[:11]}"


def make(cloud: Cloud, network_id: str, gateway: str, group_id: str) -> StandIn:
    """One on a network, in one security group."""
    host = next(agent.host for agent in cloud.sdk.network.agents(agent_type="L3 agent"))
    port = cloud.sdk.network.create_port(
        network_id=network_id,
        security_group_ids=[group_id],
        device_owner=OWNER,
        device_id="stand-in",
        binding_host_id=host,
    )
    return StandIn(cloud, port).plug(gateway)


def answers(address: str) -> bool:
    """Whether a ping from this machine, which is on the external network, is answered."""
    return run("ping", "-c", "1", "-W", "1", address).returncode == 0


def _must(*command: str) -> None:
    output_of(*command)
