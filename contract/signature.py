"""How a host signs an HTTP request for image bytes with its key; the controller verifies the same way."""

import hashlib
import hmac

HOST_HEADER = "X-Cumulet-Host"
TIME_HEADER = "X-Cumulet-Time"
NONCE_HEADER = "X-Cumulet-Nonce"
SIGNATURE_HEADER = "X-Cumulet-Signature"


def sign(key: bytes, host: str, path: str, sent_at: str, nonce: str) -> str:
    """The value of the signature header for a GET of ``path``."""
    return hmac.new(key, "\n".join(("GET", path, host, sent_at, nonce)).encode(), hashlib.sha256).hexdigest()
