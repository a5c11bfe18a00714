"""Options of the image service."""

import pathlib

from oslo_config import cfg, types

#: The largest number that MariaDB's and SQLite's integer columns both take.
MAX_INTEGER = 0x7FFFFFFF

OPTIONS = [
    cfg.StrOpt(
        "store_path",
        help="Directory of image files, shared by all controllers; <state_path>/images-store if not given.",
    ),
    cfg.ListOpt(
        "disk_formats",
        default=["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"],
        help="Values that an image's disk_format may have.",
    ),
    cfg.ListOpt(
        "container_formats",
        default=["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"],
        help="Values that an image's container_format may have.",
    ),
    cfg.BoolOpt(
        "require_image_format_match",
        mutable=True,
        default=False,
        help="Refuse data that is not of the image's disk_format. Data that could make a host read files "
        "of its own is refused in any case.",
    ),
    cfg.ListOpt(
        "gpt_safety_checks_nonfatal",
        mutable=True,
        default=[],
        help="Names of checks on partition tables (mbr) that do not refuse an image.",
    ),
    cfg.IntOpt("size_cap_gib", mutable=True, default=1024, min=1, help="Largest image that is taken."),
    cfg.IntOpt(
        "properties_quota",
        mutable=True,
        default=128,
        min=-1,
        help="Properties of an image; -1 for any number.",
    ),
    cfg.IntOpt("tags_quota", mutable=True, default=128, min=-1, help="Tags of an image; -1 for any number."),
    cfg.IntOpt(
        "members_quota", mutable=True, default=128, min=-1, help="Members of an image; -1 for any number."
    ),
    cfg.IntOpt(
        "limit_default",
        mutable=True,
        default=25,
        min=1,
        help="Images on a page when a list asks for no number.",
    ),
    cfg.IntOpt("limit_max", mutable=True, default=1000, min=1, help="Most images on a page."),
    cfg.ListOpt(
        "import_methods",
        item_type=types.String(choices=["glance-direct"]),
        default=["glance-direct"],
        help="Ways in which images may be imported: glance-direct, or none.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known; safe to repeat."""
    conf.register_opts(OPTIONS, group="image")


def store_path(conf: cfg.ConfigOpts) -> pathlib.Path:
    """The directory of image files."""
    return pathlib.Path(conf.image.store_path or pathlib.Path(conf.state_path, "images-store"))
