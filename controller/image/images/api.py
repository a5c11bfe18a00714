"""Images by REST."""

from typing import Any

import falcon
import msgspec
from sqlalchemy import Row
from sqlalchemy.orm import Session

from controller.image import options
from controller.image.images import access, actions, details, filters, patch
from controller.image.images.create import VISIBILITY_RULES, NewImage, Quotas, create, refuse_fixed
from controller.image.images.delete import delete, purge_one
from controller.image.images.fields import body_schema, fields_of
from controller.image.images.model import Image
from controller.image.images.store import ImageStore
from controller.image.images.update import update
from controller.image.images.upload import Place
from controller.web import paging
from controller.web.errors import BadRequest
from controller.web.fields import View
from controller.web.resource import (
    Cloud,
    Resource,
    answer,
    body_of,
    caller_of,
    no_content,
    params_of,
    read_limited,
)
from controller.web.schema import compile_schema


class ImageResource(Resource):
    """Root of the API classes: the table of fields, the options, and where files are."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        options.register(cloud.conf)
        self.options = cloud.conf.image
        self.fields = fields_of(cloud.conf)
        self.place = Place(cloud.db, ImageStore(options.store_path(cloud.conf)))

    @property
    def quotas(self) -> Quotas:
        """How many properties and tags an image may have."""
        return Quotas(self.options.properties_quota, self.options.tags_quota)

    def shown(self, req: falcon.Request, session: Session, rows: list[Any]) -> list[dict[str, Any]]:
        """Images as the API shows them: fields and properties side by side; two queries for any number."""
        ids = [row.id for row in rows]
        properties = details.properties_of(session, ids)
        view = self.view(req, {"tags": details.tags_of(session, ids)})
        return [self._one(row, properties.get(row.id, {}), view) for row in rows]

    def _one(self, row: Any, properties: details.Properties, view: View) -> dict[str, Any]:
        return {**properties, **self.fields.view(row, view)}


class ImagesApi(ImageResource):
    """/v2/images"""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._check = compile_schema(body_schema(self.fields, "create"))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The images that the caller may see and asks for."""
        caller, params = self.allow(req, "image:images:list"), params_of(req)
        page = filters.page_of(params, (self.options.limit_default, self.options.limit_max))
        with self.db.read() as session:
            statement = filters.chosen(params, caller, self.fields)
            paged = paging.apply_page(session, statement, Image, self.fields, page)
            rows: list[Row[Any]]
            rows, has_more = paging.cut(session.execute(paged).all(), page)
            body: dict[str, Any] = {"images": self.shown(req, session, rows), "schema": "/v2/schemas/images"}
        body["first"] = filters.first_url("/v2/images", params)
        if has_more and rows:
            body["next"] = paging.next_url("/v2/images", params, rows[-1].id)
        answer(resp, body)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A new image without data."""
        caller = self.allow(req, "image:images:create")
        new = self._read(req)
        if rule := VISIBILITY_RULES.get(new.values["visibility"]):
            self.allow(req, rule)
        row = self.db.write(lambda s: create(s, caller, new, self.quotas))
        with self.db.read() as session:
            answer(resp, self.shown(req, session, [row])[0], 201)
        resp.location = f"{req.forwarded_scheme}://{req.forwarded_host}{req.root_path}/v2/images/{row.id}"
        if self.options.import_methods:
            resp.set_header("OpenStack-image-import-methods", ",".join(self.options.import_methods))

    def _read(self, req: falcon.Request) -> NewImage:
        body = body_of(req)
        if not isinstance(body, dict):
            raise BadRequest("Expected an image as a JSON object in the request body.")
        refuse_fixed(body)
        body = self._check(body)
        values = self.fields.values("create", body, caller_of(req), self.cloud.policy)
        tags = tuple(values.pop("tags"))
        known = self.fields.by_name
        return NewImage(values, tags, {n: v for n, v in body.items() if n not in known})


class ImageApi(ImageResource):
    """/v2/images/{image_id}"""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._check = compile_schema(body_schema(self.fields, "update"))

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """One image."""
        caller = self.allow(req, "image:images:show")
        with self.db.read() as session:
            row = access.find(session, caller, image_id)
            answer(resp, self.shown(req, session, [row])[0])

    def on_patch(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Changes attributes, properties and tags."""
        caller = self.allow(req, "image:images:update")
        changes = patch.read(req.content_type or "", _json(req), self._check)

        def allows(rule: str) -> bool:
            return self.cloud.policy.allows(caller, rule)

        row = self.db.write(lambda s: update(s, caller, image_id, changes, allows, self.quotas))
        with self.db.read() as session:
            answer(resp, self.shown(req, session, [row])[0])

    def on_delete(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Deletes the image, and its bytes unless a host may still need them."""
        caller = self.allow(req, "image:images:delete")
        self.db.write(lambda s: delete(s, caller, image_id))
        if is_used := self.cloud.tools.get("image_in_use"):
            purge_one(self.place, image_id, is_used)
        no_content(resp)


class ActionApi(ImageResource):
    """/v2/images/{image_id}/actions/{action}"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, image_id: str, action: str) -> None:
        """Deactivates or reactivates."""
        if action not in ("deactivate", "reactivate"):
            raise falcon.HTTPNotFound
        caller = self.allow(req, f"image:images:{action}")
        self.db.write(lambda s: actions.switch(s, caller, image_id, action))
        no_content(resp)


class ImportApi(ImageResource):
    """/v2/images/{image_id}/import"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Imports what was staged; done when it answers."""
        caller = self.allow(req, "image:images:import")
        actions.read_import(body_of(req), self.options.import_methods)
        actions.import_staged(self.place, caller, image_id)
        no_content(resp, 202)


class ImageTasksApi(ImageResource):
    """/v2/images/{image_id}/tasks"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """None: imports are done when they answer."""
        caller = self.allow(req, "image:images:show")
        with self.db.read() as session:
            access.find(session, caller, image_id)
        answer(resp, {"tasks": []})


def _json(req: falcon.Request) -> Any:
    """The body of a patch, whose content type is not application/json."""
    try:
        return msgspec.json.decode(read_limited(req))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"Malformed JSON in the request body: {error}") from None
