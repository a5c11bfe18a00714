"""Options of identity."""

from oslo_config import cfg

GROUP = "identity"

OPTIONS = [
    cfg.IntOpt("token_lifetime_s", default=3600, min=60, max=604800, help="How long a new token is valid."),
    cfg.IntOpt("password_rounds", default=12, min=4, max=20, help="Cost of bcrypt, as a power of two."),
    cfg.IntOpt(
        "password_cache", default=4096, min=0, help="Passwords found right that a process remembers by HMAC."
    ),
    cfg.IntOpt("token_keys", default=3, min=2, max=10, help="Token keys that stay valid after a rotation."),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options known; safe to repeat."""
    conf.register_opts(OPTIONS, group=GROUP)
