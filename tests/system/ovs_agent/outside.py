"""The operator's side of a pretended host: the bridge br-ex, and namespaces on it that play the outside."""


class Outside:
    """A namespace on br-ex, untagged or in a VLAN."""

    def __init__(self, host, name, address, vlan=None):
        self.host, self.name = host, name
        inner = f"o{name}"
        host.run("ip", "netns", "add", name)
        host.run("ip", "link", "add", f"x{name}", "type", "veth", "peer", "name", inner)
        for link in (f"x{name}", inner):
            host.run("ethtool", "-K", link, "tx", "off")
        host.run("ip", "link", "set", inner, "netns", name)
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "set", inner, "name", "eth0"),
            ("link", "set", "eth0", "up"),
            ("addr", "add", address, "dev", "eth0"),
        ):
            self.run("ip", *words)
        host.run("ip", "link", "set", f"x{name}", "up")
        tag = [f"tag={vlan}"] if vlan else []
        host.run("ovs-vsctl", "add-port", "br-ex", f"x{name}", *tag)

    def enter(self, *command):
        """The words that run a command there, on its host."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, **options):
        """Runs a command there."""
        return self.host.run(*self.enter(*command), **options)

    def start(self, *command, **options):
        """Starts a command there."""
        return self.host.start(*self.enter(*command), **options)

    def reaches(self, address, count=2):
        """Whether a ping is answered."""
        out = self.run("ping", "-c", str(count), "-i", "0.2", "-W", "1", address, check=False)
        return " 0% packet loss" in out


def make_bridge(host):
    """br-ex, as an operator makes it: it switches by itself."""
    host.run("ovs-vsctl", "add-br", "br-ex", "--", "set", "bridge", "br-ex", "datapath_type=netdev")
