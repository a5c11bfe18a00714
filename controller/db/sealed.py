"""Secrets in the database, sealed by a master key that is in a file and nowhere else."""

import base64
import hashlib
import hmac
import pathlib

from cryptography.fernet import Fernet, InvalidToken
from oslo_config import cfg

from runtime.settings import CONFIG_DIR, ConfigurationError

OPTIONS = [
    cfg.StrOpt(
        "master_key_file",
        default=f"{CONFIG_DIR}/master.key",
        help="File (0600) with the key that seals secrets in the database.",
    ),
]


class MasterKey:
    """Seals and opens secrets, and derives the key by which controller processes know each other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._fernet = Fernet(base64.urlsafe_b64encode(self.derived("seal")))

    @classmethod
    def load(cls, conf: cfg.ConfigOpts) -> "MasterKey":
        """From the file that the options name. Raises ConfigurationError."""
        conf.register_opts(OPTIONS)
        path = pathlib.Path(conf.master_key_file)
        try:
            return cls(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"master_key_file {path}: {error}. It is made by "
                "'controller-manage bootstrap'; all controllers need the same."
            ) from error

    def seal(self, secret: bytes) -> str:
        """Text that may be stored."""
        return self._fernet.encrypt(secret).decode()

    def open(self, sealed: str) -> bytes:
        """The secret. Raises ConfigurationError when it was sealed under another master key."""
        try:
            return self._fernet.decrypt(sealed.encode())
        except InvalidToken as error:
            raise ConfigurationError(
                "a secret in the database was sealed under another master key: put the "
                "file back that belongs to this database"
            ) from error

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()
