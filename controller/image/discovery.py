"""What the image service is and can do: version documents, import methods, stores, schemas."""

from typing import Any

import falcon

from controller.image.images.api import ImageResource
from controller.image.images.fields import public_schema
from controller.image.images.members import FIELDS as MEMBER
from controller.web.errors import NotFound
from controller.web.resource import Cloud, Resource, answer, base_url

#: Minor versions of API v2, newest first: each added calls that are spoken here, save those of
#: several stores (2.8, 2.10-2.13) and of the cache (2.14, 2.16).
_VERSIONS = ("2.17", "2.15", "2.9", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")


class VersionsApi(Resource):
    """/ and /versions"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The versions: many choices at the root, a document elsewhere. Needs no token."""
        href = f"{base_url(req)}/v2/"
        versions = [
            {
                "id": f"v{number}",
                "status": "CURRENT" if number == _VERSIONS[0] else "SUPPORTED",
                "links": [{"rel": "self", "href": href}],
            }
            for number in _VERSIONS
        ]
        answer(resp, {"versions": versions}, 200 if req.path.startswith("/versions") else 300)


class ImportInfoApi(ImageResource):
    """/v2/info/import"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Ways in which images may be imported."""
        self.allow(req, "image:info:show")
        methods = {
            "description": "Import methods available.",
            "type": "array",
            "value": list(self.options.import_methods),
        }
        answer(resp, {"import-methods": methods})


class StoresInfoApi(Resource):
    """/v2/info/stores"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """There is one store: clients take this answer for that."""
        self.allow(req, "image:info:show")
        raise NotFound("Multi backend is not supported at this site.")


class SchemasApi(ImageResource):
    """/v2/schemas/{name}"""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        image = public_schema(self.fields)
        member = {"name": "member", "properties": {f.name: f.schema for f in MEMBER.fields}}
        self._schemas = {
            "image": image,
            "images": _collection("images", image, [{"rel": "describedby", "href": "{schema}"}]),
            "member": member,
            "members": _collection("members", member, []),
        }

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """The schema of an image, a member, or a list of them."""
        self.allow(req, "image:schemas:show")
        if name not in self._schemas:
            raise NotFound(f"There is no schema {name}.")
        answer(resp, self._schemas[name])


def _collection(name: str, item: dict[str, Any], links: list[dict[str, str]]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": name,
        "properties": {name: {"type": "array", "items": item}, "schema": {"type": "string"}},
    }
    if links:
        shown["properties"] |= {"next": {"type": "string"}, "first": {"type": "string"}}
        next_and_first = [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}]
        shown["links"] = [*next_and_first, *links]
    return shown
