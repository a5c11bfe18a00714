"""The outside of a cloud of one machine: the bridge br-ex, and this machine on it by a veth pair.

An operator's bridge has an uplink of the host here. A veth pair, and not the bridge's own port: that one would lose
its address with each restart of ovs-vswitchd.
"""

import pathlib

from lab.up import command, files, switch
from lab.up.step import StepError

BRIDGE = "br-ex"
PHYSICAL_NETWORK = "public"
RANGE = "172.24.4.0/24"
#: This machine's: the gateway of the external network.
ADDRESS = "172.24.4.1"
_HERE, _THERE = "cumulet-ext", "cumulet-ext-br"
_STEP = "outside"
_REMEDY = "read the log of this step, then run 'make up' again"


def make() -> str:
    """Makes what is missing. A bridge of that name that was there before is an operator's, and left as it is."""
    if BRIDGE in files.remembered().get("keep_bridges", []):
        return f"{BRIDGE} was there before: it stays as it is"
    command.wait_until(lambda: bool(_datapath_type()), 60, _no_bridge)
    datapath = f"datapath_type={_datapath_type()}"
    _run(
        "ovs-vsctl", "--timeout=20", "--may-exist", "add-br", BRIDGE, "--", "set", "bridge", BRIDGE, datapath
    )
    if not pathlib.Path("/sys/class/net", _HERE).exists():
        _run("ip", "link", "add", _HERE, "type", "veth", "peer", "name", _THERE)
    for link in (_HERE, _THERE):
        # Open vSwitch in userspace does not complete checksums
        _run("ethtool", "-K", link, "tx", "off")
    # and what it takes in also reaches this machine's own IP stack by that end
    _run("sysctl", "-qw", f"net.ipv4.conf.{_THERE}.arp_ignore=1", f"net.ipv6.conf.{_THERE}.disable_ipv6=1")
    _run("ovs-vsctl", "--timeout=20", "--may-exist", "add-port", BRIDGE, _THERE)
    _run("ip", "address", "replace", f"{ADDRESS}/{RANGE.partition('/')[2]}", "dev", _HERE)
    for link in (_HERE, _THERE):
        _run("ip", "link", "set", link, "up")
    return f"{ADDRESS} on {BRIDGE}"


def remove() -> None:
    """Takes the veth pair away; the bridge goes with the others."""
    command.output(["ip", "link", "delete", _HERE])


def _datapath_type() -> str:
    """That of br-int, which ovs-agent has made: a patch joins bridges of one datapath only."""
    asked = ["ovs-vsctl", "--timeout=5", "--if-exists", "get", "bridge", switch.BRIDGES[0], "datapath_type"]
    return (command.output(asked) or "").strip().strip('"')


def _no_bridge() -> StepError:
    return StepError(f"ovs-agent did not make {switch.BRIDGES[0]}", "read its log, then run 'make up' again")


def _run(*words: str) -> None:
    command.run(_STEP, words, _REMEDY)
