"""Takes everything of ours off the host: ``python -m ovs_agent.cleanup`` (``make down``).

Bridges, patches to those of the operator, namespaces, their links and dnsmasq processes; the ledger stays, so
an agent that is started again brings everything back.
"""

import runtime.lean  # noqa: F401

# isort: split
# The line above is first because it keeps eventlet out: ovs.poller would import it.
import contextlib
import logging
import pathlib

from oslo_config import cfg

from contract.topics import OVS_AGENT
from ovs_agent import options
from ovs_agent.host import dnsmasq, links, netns
from ovs_agent.host.ovsdb import Ovsdb, OvsdbError
from ovs_agent.namespaces import names
from ovs_agent.switch import INTEGRATION, TUNNEL
from runtime import log, settings

LOG = logging.getLogger(__name__)


def main() -> None:
    """Reads the agent's configuration and cleans up; safe to repeat, and with openvswitch stopped."""
    log.register(cfg.CONF)
    options.register(cfg.CONF)
    conf = settings.load(OVS_AGENT)
    log.setup(conf, OVS_AGENT)
    clean(settings.state_dir(conf, "dhcp"), str(conf[options.GROUP].ovsdb_connection))


def clean(root: pathlib.Path, remote: str) -> None:
    """``root`` holds the DHCP directories, ``remote`` is where OVSDB listens."""
    for directory in sorted(root.iterdir()):
        dnsmasq.stop(directory)
        dnsmasq.remove_files(directory)
    with contextlib.suppress(OvsdbError):
        database = Ovsdb(remote, lambda before, after: None)
        for row in database.interfaces():
            if row.network_id or row.router_id or row.is_uplink:
                database.unplug(row.name)
        database.remove_bridges((INTEGRATION, TUNNEL))
        database.close()
    for name in links.names():
        if name.startswith((names.OUTER_PREFIX, names.ROUTER_OUTER_PREFIX)):
            links.remove(name)
    for name in netns.names():
        if name.startswith((names.PREFIX, names.ROUTER_PREFIX)):
            netns.remove(name)


if __name__ == "__main__":
    main()
