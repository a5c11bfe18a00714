"""Options of the network service."""

import functools

from oslo_config import cfg

OPTIONS = [
    cfg.StrOpt("vni_range", default="1:16777215", help="First and last VNI given to VXLAN networks."),
    cfg.StrOpt("vlan_range", default="1:4094", help="First and last VLAN id given where none is asked for."),
    cfg.StrOpt(
        "tenant_network_type",
        mutable=True,
        default="vxlan",
        choices=["vxlan", "local"],
        help="How networks are carried whose creator does not say.",
    ),
    cfg.IntOpt("physical_mtu", default=1500, min=1280, max=65535, help="MTU between hosts."),
    cfg.StrOpt(
        "dns_domain",
        default="openstacklocal.",
        help="Domain of names on networks and ports that have no dns_domain of their own.",
    ),
    cfg.StrOpt("availability_zone", default="nova", help="The one availability zone of networks."),
    cfg.IntOpt(
        "max_dns_nameservers", mutable=True, default=5, min=0, help="Name servers that a subnet may have."
    ),
    cfg.IntOpt(
        "max_host_routes", mutable=True, default=20, min=0, help="Host routes that a subnet may have."
    ),
    cfg.IntOpt("max_routes", mutable=True, default=30, min=0, help="Extra routes that a router may have."),
    cfg.FloatOpt(
        "router_failover_s",
        mutable=True,
        default=60.0,
        min=15.0,
        help="Seconds of silence after which the routers of a host are given to other hosts.",
    ),
    cfg.IntOpt("max_fixed_ips", mutable=True, default=16, min=1, help="Addresses that a port may be given."),
    cfg.IntOpt(
        "max_address_pairs",
        mutable=True,
        default=10,
        min=0,
        help="Allowed address pairs that a port may have.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known; safe to repeat."""
    conf.register_opts(OPTIONS, group="network")


@functools.cache
def settings() -> cfg.ConfigOpts.GroupAttr:
    """The options' values in the settings of this process. Read them once a request, never per row."""
    register(cfg.CONF)
    group: cfg.ConfigOpts.GroupAttr = cfg.CONF.network
    return group
