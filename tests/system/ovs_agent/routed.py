"""A router of a pretended host with its networks, guests and an outside; and servers that tell who asked."""

import cloud
import outside
from pretended import changed, eventually

from contract.router import Router, RouterGateway, RouterInterface

GATEWAY = "network:router_gateway"


class Scene:
    """Two inner networks with a guest each, a router, the flat network ``public`` and a host on it."""

    def __init__(self, host):
        self.host = host
        outside.make_bridge(host)
        self.outside = outside.Outside(host, "world", "172.24.4.1/24")
        self.group = cloud.group("open", cloud.rule(), cloud.rule(ethertype="IPv6"), *cloud.out_all())
        self.one, one = cloud.network("one", 1101, "10.11.0.0/24", "fd00:11::/64")
        self.two, two = cloud.network("two", 1102, "10.12.0.0/24", "fd00:12::/64")
        self.public, public = cloud.provider("public", "172.24.4.0/24")
        host.agent.store(self.group, one, two, public, self.one, self.two, self.public)
        self.ports = [
            cloud.router_port("r", self.one, 1),
            cloud.router_port("r", self.two, 1),
            cloud.router_port("r", self.public, 5, GATEWAY),
        ]
        legs = [
            cloud.leg(RouterInterface, of, p) for of, p in zip((self.one, self.two), self.ports, strict=False)
        ]
        gateway = cloud.leg(RouterGateway, self.public, self.ports[2], next_hops=("172.24.4.1",))
        self.router = Router(
            id=cloud.identity("router-r"), project_id="p", interfaces=tuple(legs), gateways=(gateway,)
        )
        self.a, self.b, self.c = (
            self.guest(name, of, number)
            for name, of, number in (("a", self.one, 11), ("b", self.two, 12), ("c", self.one, 13))
        )
        self.documents = [self.public, self.one, self.two, *self.ports, self.router]

    def guest(self, name, of, number):
        """A guest with its address and the router as its gateway."""
        port = cloud.port(name, of, number, self.group)
        base = of.subnets[0].cidr.rsplit(".", 1)[0]
        self.host.agent.store(port)
        guest = self.host.guest(name, port, f"{base}.{number}/24", f"{base}.1").plug()
        guest.run("ip", "link", "set", "eth0", "mtu", str(of.mtu))
        guest.await_wired()
        return guest

    def apply(self, **fields):
        """The router with other fields, once it is so."""
        self.router = changed(self.router, **fields)
        self.host.agent.store(self.router)
        self.host.agent.report(self.router)

    def inside(self, *command, **options):
        """Runs a command in the router's namespace."""
        return self.host.run("ip", "netns", "exec", f"qrouter-{self.router.id}", *command, **options)


def serve(place, port, text):
    """An HTTP server that answers with one word, and that it answers."""
    script = (
        "import http.server, socketserver\n"
        "socketserver.TCPServer.allow_reuse_address = True\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "  def do_GET(self):\n"
        f"    body = ('{text} to ' + self.client_address[0]).encode()\n"
        "    self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()\n"
        "    self.wfile.write(body)\n"
        f"socketserver.ThreadingTCPServer(('0.0.0.0', {port}), H).serve_forever()\n"
    )
    place.start("python3", "-c", script, stdout=-3, stderr=-3)
    eventually(lambda: fetch(place, f"127.0.0.1:{port}"), 20)


def fetch(place, where):
    """What such a server answers; empty when nobody does."""
    return place.run("curl", "-sS", "-m", "3", f"http://{where}/", check=False)
