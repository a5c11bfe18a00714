"""Image bytes for hosts: GET /internal/images/{id}, signed with the host's key, see contract/signature.py.

A host gets only images that its documents name, and answers about others are those about none. The signature
is over method, path, host, time and nonce, and is good once; ranges are not served.
"""

import hmac

import falcon

from contract import signature
from controller.image.images import download
from controller.image.images.api import ImageResource
from controller.image.images.lookup import info
from controller.web.errors import NotFound, Unauthorized
from controller.web.resource import Cloud
from runtime.nonces import Nonces, PlayedError


class HostImageApi(ImageResource):
    """/internal/images/{image_id}

    ``tools`` of the cloud: ``host_key(host)`` gives a host's key or None; ``may_read_image(session, host,
    image_id)`` says whether a document of the host names the image.
    """

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._nonces = Nonces()

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
        if not (key and nonce and is_right):
            raise Unauthorized("The request is not signed by a host of this cloud.")
        try:
            self._nonces.use(nonce, float(sent_at))
        except (PlayedError, ValueError) as error:
            raise Unauthorized(f"The request is not signed anew by its host: {error}.") from None
        return host


def _none(image_id: str) -> NotFound:
    return NotFound(f"There is no image {image_id} for this host.")
