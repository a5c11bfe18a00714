"""Options of ``nova_compute``: what this host's domains are made with, and how long it waits for guests."""

from oslo_config import cfg

OPTIONS = [
    cfg.StrOpt(
        "virt_type",
        default="auto",
        choices=["auto", "kvm", "qemu"],
        help="Type of the domains. auto boots a tiny guest under KVM once a boot of the host, and takes "
        "qemu if that guest does not run.",
    ),
    cfg.FloatOpt("kvm_probe_timeout", default=4.0, min=0.1, help="Seconds that the tiny guest may take."),
    cfg.StrOpt("libvirt_uri", default="qemu:///system", help="Connection URI of this host's libvirt."),
    cfg.StrOpt("machine_type", default="pc", help="Machine type of the domains, such as pc or q35."),
    cfg.StrOpt(
        "cpu_mode",
        default="auto",
        choices=["auto", "host-model", "host-passthrough", "maximum", "custom", "none"],
        help="CPU of the guests. auto is host-model under kvm, and QEMU's own default under qemu.",
    ),
    cfg.StrOpt("cpu_model", default="", help="Model for cpu_mode custom."),
    cfg.IntOpt(
        "tcg_cache_mib", default=32, min=0, help="QEMU's translation cache per guest under qemu; 0: QEMU's."
    ),
    cfg.BoolOpt("vnc_enabled", default=True, help="Give guests a graphical console on the loopback."),
    cfg.StrOpt(
        "volume_initiator",
        default="auto",
        choices=["auto", "host", "qemu"],
        help="Who attaches volumes: the kernel's initiator (open-iscsi) or QEMU's own (libiscsi). auto takes "
        "the kernel's where it works.",
    ),
    cfg.FloatOpt(
        "wiring_timeout",
        default=60.0,
        min=1.0,
        help="Seconds that a paused guest waits for its ports before the wait is told as a fault.",
    ),
    cfg.FloatOpt(
        "shutdown_timeout",
        default=10.0,
        min=0.0,
        help="Seconds a guest has to power off by itself before its power is cut.",
    ),
    cfg.FloatOpt(
        "reboot_timeout",
        default=60.0,
        min=0.0,
        help="Seconds a guest has to go down in a soft reboot before it becomes a hard one.",
    ),
    cfg.FloatOpt(
        "cpu_allocation_ratio", mutable=True, default=16.0, min=0.0, help="Virtual CPUs offered per real one."
    ),
    cfg.FloatOpt(
        "ram_allocation_ratio", mutable=True, default=1.5, min=0.0, help="Memory offered per real memory."
    ),
    cfg.FloatOpt(
        "disk_allocation_ratio", mutable=True, default=1.0, min=0.0, help="Disk space offered per real one."
    ),
    cfg.IntOpt("reserved_host_memory_mb", mutable=True, default=512, min=0, help="Memory kept from guests."),
    cfg.IntOpt("reserved_host_disk_mb", mutable=True, default=0, min=0, help="Disk space kept from guests."),
    cfg.IntOpt("reserved_host_cpus", mutable=True, default=0, min=0, help="CPUs kept from guests."),
    cfg.StrOpt("integration_bridge", default="br-int", help="Bridge that all guests' taps are in."),
]

#: Named as nova names them.
IMAGE_CACHE_GROUP = "image_cache"
IMAGE_CACHE_OPTIONS = [
    cfg.BoolOpt(
        "remove_unused_base_images",
        mutable=True,
        default=True,
        help="Remove cached images that no server of the host stands on, when they are old enough or when "
        "there is no room for another one.",
    ),
    cfg.FloatOpt(
        "remove_unused_original_minimum_age_seconds",
        mutable=True,
        default=86400.0,
        min=0.0,
        help="Seconds for which a cached image must have been unused before it is removed for its age.",
    ),
]

#: Options that ``ovs_agent`` has as well, told once for both: in one process oslo.config takes an option
#: twice only if every word of it is the same.
OVS_GROUP = "ovs"
OVS_OPTIONS = [
    cfg.StrOpt(
        "ovsdb_connection",
        default="unix:/run/openvswitch/db.sock",
        help="Where ovsdb-server listens: unix:PATH or tcp:ADDRESS:PORT.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known to ``conf``; safe to repeat."""
    conf.register_opts(OPTIONS)
    conf.register_opts(IMAGE_CACHE_OPTIONS, group=IMAGE_CACHE_GROUP)
    conf.register_opts(OVS_OPTIONS, group=OVS_GROUP)
