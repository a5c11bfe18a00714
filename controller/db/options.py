"""Options of the database."""

from oslo_config import cfg

OPTIONS = [
    cfg.StrOpt(
        "connection",
        secret=True,
        default="sqlite:////var/lib/cumulet/cumulet.db",
        help="SQLAlchemy URL of the database that all services share.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known."""
    conf.register_opts(OPTIONS, group="database")
