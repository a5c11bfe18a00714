"""The bytes of images by REST: straight from the request to the disk, and back."""

import falcon

from controller.image.images import download, upload
from controller.image.images.api import ImageResource
from controller.web.errors import BadRequest, NotFound, UnsupportedMedia
from controller.web.resource import no_content


class DataResource(ImageResource):
    """What takes data has in common."""

    def incoming(self, req: falcon.Request) -> upload.Incoming:
        """The data of a request. Raises UnsupportedMedia, BadRequest."""
        content_type = (req.content_type or "").partition(";")[0].strip()
        if content_type != "application/octet-stream":
            raise UnsupportedMedia(
                f"Invalid content type {content_type or 'None'}: send application/octet-stream."
            )
        announced = req.get_header("X-OpenStack-Image-Size")
        if announced is not None and not (announced.isascii() and announced.isdecimal()):
            raise BadRequest("Invalid or missing image size in request headers.")
        length = req.content_length
        return upload.Incoming(
            stream=req.stream if length is None else req.bounded_stream,
            length=int(announced) if announced is not None else length,
            cap=self.options.size_cap_gib << 30,
            is_strict=self.options.require_image_format_match,
            tolerated=frozenset(self.options.gpt_safety_checks_nonfatal),
        )


class FileApi(DataResource):
    """/v2/images/{image_id}/file"""

    def on_put(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Gives a queued image its data."""
        caller = self.allow(req, "image:images:upload")
        upload.upload(self.place, caller, image_id, self.incoming(req))
        no_content(resp)

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """The data or a range of it; 204 while there is none."""
        caller = self.allow(req, "image:images:download")
        with self.db.read() as session:
            image = download.readable(session, caller, image_id)
        if image.os_hash_value is None:
            no_content(resp)
            return
        size = image.size or 0
        span = download.span_of(size, req.get_header("Range"), req.get_header("Content-Range"))
        download.send(resp, self.place.store.open(image_id), span or download.Span(0, size))
        resp.set_header("Accept-Ranges", "bytes")
        if image.checksum:
            resp.set_header("Content-MD5", image.checksum)
        if span is not None:
            resp.status = 206
            resp.set_header("Content-Range", f"bytes {span.start}-{span.stop - 1}/{size}")


class StageApi(DataResource):
    """/v2/images/{image_id}/stage"""

    def on_put(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Puts data aside for an import."""
        if "glance-direct" not in self.options.import_methods:
            raise NotFound("'glance-direct' method is not available at this site.")
        caller = self.allow(req, "image:images:upload")
        upload.stage(self.place, caller, image_id, self.incoming(req))
        no_content(resp)
