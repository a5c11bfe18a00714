"""Image bytes for hosts: GET /internal/images/{id}, signed with the host's key, see contract/signature.py.

A host gets only images that its documents name, and answers about others are those about none.
"""

import hmac
import time

import falcon

from contract import signature
from controller.image.images import download
from controller.image.images.api import ImageResource
from controller.image.images.lookup import info
from controller.web.errors import NotFound, Unauthorized

#: How far the host's clock may be off, in seconds.
FRESH_S = 120.0


class HostImageApi(ImageResource):
    """/internal/images/{image_id}

    ``tools`` of the cloud: ``host_key(host)`` gives a host's key or None; ``may_read_image(session, host,
    image_id)`` says whether a document of the host names the image.
    """

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """All bytes of the image."""
        host = self._host(req, image_id)
        with self.db.read() as session:
            if not self.cloud.tools["may_read_image"](session, host, image_id):
                raise _none(image_id)
            image = info(session, image_id)
        if not image.sha512:
            raise _none(image_id)
        try:
            file = self.place.store.open(image_id)
        except FileNotFoundError:
            raise _none(image_id) from None
        download.send(resp, file, download.Span(0, image.size))

    def _host(self, req: falcon.Request, image_id: str) -> str:
        """The host that signed the request. Raises Unauthorized."""
        host = req.get_header(signature.HOST_HEADER) or ""
        sent_at = req.get_header(signature.TIME_HEADER) or ""
        nonce = req.get_header(signature.NONCE_HEADER) or ""
        given = req.get_header(signature.SIGNATURE_HEADER) or ""
        key: bytes | None = self.cloud.tools["host_key"](host) if host else None
        path = f"/internal/images/{image_id}"
        expected = signature.sign(key or b"", host, path, sent_at, nonce)
        is_right = hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
        if not (key and nonce and is_right and _is_fresh(sent_at)):
            raise Unauthorized("The request is not signed by a host of this cloud.")
        return host


def _is_fresh(sent_at: str) -> bool:
    try:
        return abs(time.time() - float(sent_at)) <= FRESH_S
    except ValueError:
        return False


def _none(image_id: str) -> NotFound:
    return NotFound(f"There is no image {image_id} for this host.")
