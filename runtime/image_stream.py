"""Streams an image's bytes from the controller to a file, authenticated by the host's key.

The checksum is computed on the way and compared before the caller sees the file.
"""

import hashlib
import os
import pathlib
import secrets
import time
from collections.abc import Callable

import requests
from oslo_config import cfg

from contract import signature

_CHUNK = 1 << 20


class ImageStreamError(Exception):
    """The bytes could not be had now: try again later."""


class ChecksumError(Exception):
    """The bytes are not those that the document names: they must not be used."""


def path_of(image_id: str) -> str:
    """The URL path of an image's bytes for hosts."""
    return f"/internal/images/{image_id}"


def fetch(
    conf: cfg.ConfigOpts, key: Callable[[str], bytes | None], image: tuple[str, str], target: pathlib.Path
) -> None:
    """Writes image (id, sha512) to ``target`` atomically: it exists afterwards, verified, or not at all.

    Raises ImageStreamError and ChecksumError; OSError (disk full) is passed on.
    """
    image_id, sha512 = image
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("wb") as file:
            found = _copy(conf, key, image_id, file.write)
            file.flush()
            os.fsync(file.fileno())
        if found != sha512:
            raise ChecksumError(f"image {image_id} has sha512 {found[:16]}…, expected {sha512[:16]}…")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(
    conf: cfg.ConfigOpts, key: Callable[[str], bytes | None], image_id: str, write: Callable[[bytes], object]
) -> str:
    path, host = path_of(image_id), str(conf.host)
    sent_at, nonce = f"{time.time():.3f}", secrets.token_hex(12)
    headers = {
        signature.HOST_HEADER: host,
        signature.TIME_HEADER: sent_at,
        signature.NONCE_HEADER: nonce,
        signature.SIGNATURE_HEADER: signature.sign(key(host) or b"", host, path, sent_at, nonce),
    }
    digest = hashlib.sha512()
    try:
        with requests.get(
            conf.image_endpoint.rstrip("/") + path, headers=headers, stream=True, timeout=(5, 60)
        ) as answer:
            if answer.status_code != 200:
                raise ImageStreamError(
                    f"image {image_id}: the controller answered {answer.status_code}: {answer.text[:200]}"
                )
            for chunk in answer.iter_content(_CHUNK):
                digest.update(chunk)
                write(chunk)
    except requests.RequestException as error:
        raise ImageStreamError(f"image {image_id}: {error}") from error
    return digest.hexdigest()
