"""Options of ovs-agent, section ``[ovs]`` of its configuration file."""

from oslo_config import cfg, types

GROUP = "ovs"
OPTIONS = [
    cfg.StrOpt(
        "ovsdb_connection",
        default="unix:/run/openvswitch/db.sock",
        help="Where ovsdb-server listens: unix:PATH or tcp:ADDRESS:PORT.",
    ),
    cfg.StrOpt(
        "vswitchd_pid_file",
        default="/run/openvswitch/ovs-vswitchd.pid",
        help="Pid file of ovs-vswitchd: its end is noticed by it.",
    ),
    cfg.StrOpt(
        "datapath_type",
        default="auto",
        choices=["auto", "system", "netdev"],
        help="Datapath of the bridges; auto tries the kernel's and falls back to userspace.",
    ),
    cfg.DictOpt(
        "bridge_mappings",
        default={},
        help="Physical network to bridge, such as public:br-ex. The bridge is the operator's: it is only joined.",
    ),
    cfg.ListOpt(
        "dns_servers",
        default=[],
        item_type=types.IPAddress(),
        help="Resolvers that DHCP's name server asks for outside names; none: only names of the network.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known; safe to repeat."""
    conf.register_opts(OPTIONS, group=GROUP)
