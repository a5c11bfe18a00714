"""Resource classes: the standard names, and custom ones that operators add."""

from collections.abc import Iterable
from typing import Any

import falcon
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from controller.placement.endpoint import Endpoint, checked_body, date, reply
from controller.placement.model import Inventory, ResourceClass
from controller.placement.standard import RESOURCE_CLASSES
from controller.placement.versions import CLASS_BY_PUT
from controller.placement.versions import RESOURCE_CLASSES as SINCE
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.resource import no_content, version_of
from controller.web.schema import Schema, compile_schema

_CUSTOM: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^CUSTOM_[A-Z0-9_]+$"}
_BODY = compile_schema(
    {
        "type": "object",
        "properties": {"name": _CUSTOM},
        "required": ["name"],
        "additionalProperties": False,
    }
)


def known_classes(session: Session, names: Iterable[str]) -> set[str]:
    """Those of ``names`` that exist."""
    wanted = set(names)
    custom = {name for name in wanted if name.startswith("CUSTOM_")}
    found = set(session.scalars(select(ResourceClass.name).where(ResourceClass.name.in_(custom))))
    return found | wanted.intersection(RESOURCE_CLASSES)


def create(session: Session, name: str) -> bool:
    """Makes a custom class; False if it was there."""
    if session.get(ResourceClass, name) is not None:
        return False
    session.add(ResourceClass(name=name))
    session.flush()
    return True


def rename(session: Session, name: str, new_name: str) -> None:
    """Gives a custom class another name. Raises NotFound, BadRequest, Conflict."""
    _refuse_standard(session, name, "update")
    if name != new_name and not create(session, new_name):
        raise Conflict(f"Resource class already exists: {new_name}")
    if name != new_name:
        remove(session, name)


def remove(session: Session, name: str) -> None:
    """Deletes a custom class. Raises NotFound, BadRequest for a standard one, Conflict while in use."""
    _refuse_standard(session, name, "delete")
    if session.scalar(select(func.count()).where(Inventory.resource_class == name)):
        raise Conflict(f"Error in delete resource class: {name} is in use in inventory.")
    session.execute(delete(ResourceClass).where(ResourceClass.name == name))


def _refuse_standard(session: Session, name: str, verb: str) -> None:
    if name in RESOURCE_CLASSES:
        raise BadRequest(f"Cannot {verb} standard resource class {name}.")
    _get(session, name)


def _get(session: Session, name: str) -> None:
    if not known_classes(session, [name]):
        raise NotFound(f"No such resource class {name}.")


class ResourceClassesApi(Endpoint):
    """/resource_classes"""

    SINCE = SINCE

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All names."""
        self.allow(req, "placement:resource_classes:list")
        with self.db.read() as session:
            custom = session.scalars(select(ResourceClass.name).order_by(ResourceClass.name)).all()
        names = (*RESOURCE_CLASSES, *custom)
        reply(req, resp, {"resource_classes": [_shown(req, name) for name in names]})

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A new custom class."""
        self.allow(req, "placement:resource_classes:create")
        name = checked_body(req, _BODY)["name"]
        if not self.db.write(lambda s: create(s, name)):
            raise Conflict(f"Conflicting resource class already exists: {name}")
        _created(req, resp, name, 201)


class ResourceClassApi(Endpoint):
    """/resource_classes/{name}"""

    SINCE = SINCE

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """One name."""
        self.allow(req, "placement:resource_classes:show")
        with self.db.read() as session:
            _get(session, name)
        reply(req, resp, _shown(req, name))

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Makes sure that it exists; before 1.7 gives it another name."""
        self.allow(req, "placement:resource_classes:update")
        if version_of(req) < CLASS_BY_PUT:
            new_name = checked_body(req, _BODY)["name"]
            self.db.write(lambda s: rename(s, name, new_name))
            reply(req, resp, _shown(req, new_name))
            return
        _BODY({"name": name})
        is_new = self.db.write(lambda s: create(s, name))
        _created(req, resp, name, 201 if is_new else 204)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Deletes a custom class."""
        self.allow(req, "placement:resource_classes:delete")
        self.db.write(lambda s: remove(s, name))
        no_content(resp)


def _created(req: falcon.Request, resp: falcon.Response, name: str, status: int) -> None:
    no_content(resp, status)
    resp.content_type = None
    resp.location = f"{req.root_path}/resource_classes/{name}"
    date(req, resp)


def _shown(req: falcon.Request, name: str) -> dict[str, Any]:
    href = f"{req.root_path}/resource_classes/{name}"
    return {"name": name, "links": [{"rel": "self", "href": href}]}
