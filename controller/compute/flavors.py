"""Flavors: the sizes that servers come in."""

import re
from typing import Any

import falcon
from sqlalchemy import JSON, Select, String, Text, UniqueConstraint, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, Timestamps, new_uuid
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.fields import Field, Fields, View
from controller.web.resource import Resource, answer, base_url, body_of, no_content, params_of, version_of
from controller.web.versions import Version

_EXTRA_SPEC_KEY = r"^[a-zA-Z0-9-_:. ]{1,255}$"


class Flavor(Base, Timestamps):
    """One size. ``id`` is what the API calls flavorid: users may choose it."""

    __tablename__ = "flavors"
    __table_args__ = (UniqueConstraint("name"), Base.__table_args__)

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    vcpus: Mapped[int]
    ram: Mapped[int]
    disk: Mapped[int]
    ephemeral: Mapped[int] = mapped_column(default=0)
    swap: Mapped[int] = mapped_column(default=0)
    rxtx_factor: Mapped[float] = mapped_column(default=1.0)
    is_public: Mapped[bool] = mapped_column(default=True)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    extra_specs: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)


class FlavorAccess(Base):
    """A project that may use a flavor which is not public."""

    __tablename__ = "flavor_access"

    flavor_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    project_id: Mapped[Id] = mapped_column(primary_key=True)


_MAX = 2147483647
_ID = {"type": ["string", "number", "null"], "maxLength": 255, "pattern": r"^(?! )[a-zA-Z0-9. _-]+(?<! )$"}


def links(view: View, kind: str, resource_id: str) -> list[dict[str, str]]:
    """self and bookmark, as every compute resource has."""
    return [
        {"rel": "self", "href": f"{view.base_url}/v2.1/{kind}/{resource_id}"},
        {"rel": "bookmark", "href": f"{view.base_url}/{kind}/{resource_id}"},
    ]


FIELDS = Fields(
    "flavor",
    "flavors",
    [
        Field(name="id", schema=_ID, create=True, sort=True, store=str),
        # flavorid is the column's old name, which clients still sort by
        Field(name="flavorid", attr="id", is_shown=False, sort=True),
        Field(name="name", schema=schema.NAME, create=True, required=True, sort=True),
        Field(name="links", show=lambda row, view: links(view, "flavors", row.id)),
        Field(name="ram", schema=schema.integer(1, _MAX), create=True, required=True, sort=True, store=int),
        Field(name="memory_mb", attr="ram", is_shown=False, sort=True),
        Field(name="disk", schema=schema.integer(0, _MAX), create=True, required=True, sort=True, store=int),
        Field(name="root_gb", attr="disk", is_shown=False, sort=True),
        Field(name="vcpus", schema=schema.integer(1, _MAX), create=True, required=True, sort=True, store=int),
        Field(
            name="swap",
            show=lambda row, view: row.swap or ("" if view.version < Version(2, 75) else 0),
            schema=schema.integer(0, _MAX),
            create=True,
            default=0,
            sort=True,
            store=int,
        ),
        Field(
            name="OS-FLV-EXT-DATA:ephemeral",
            attr="ephemeral",
            schema=schema.integer(0, _MAX),
            create=True,
            default=0,
            store=int,
        ),
        Field(name="OS-FLV-DISABLED:disabled", attr="is_disabled"),
        Field(
            name="rxtx_factor",
            schema={
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "maximum": 3.40282e38},
                    {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"},
                ]
            },
            create=True,
            default=1.0,
            store=float,
        ),
        Field(
            name="os-flavor-access:is_public",
            attr="is_public",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            default=True,
            store=schema.as_bool,
        ),
        # 2.55: flavors have a description, which may be changed
        Field(
            name="description",
            schema={"type": ["string", "null"], "maxLength": 16000},
            create=True,
            update=True,
            since=Version(2, 55),
        ),
        # 2.61: extra specs are shown with the flavor to those who may see them
        Field(name="extra_specs", since=Version(2, 61)),
    ],
)
_BRIEF = ("id", "name", "links", "description")


def visible(caller: Caller) -> Select[tuple[Flavor]]:
    """Flavors that the caller may use: public ones, and those that his project was given."""
    given = select(FlavorAccess.flavor_id).where(FlavorAccess.project_id == caller.own_project)
    return select(Flavor).where(or_(Flavor.is_public, Flavor.id.in_(given)))


def find(session: Session, caller: Caller, flavor_id: str) -> Flavor:
    """A flavor that the caller may use (an administrator: any). Raises NotFound."""
    statement = select(Flavor) if caller.is_admin else visible(caller)
    flavor = session.scalars(statement.where(Flavor.id == flavor_id)).one_or_none()
    if flavor is None:
        raise NotFound(f"Flavor {flavor_id} could not be found.")
    return flavor


def create(session: Session, values: dict[str, Any]) -> Flavor:
    """Writes a new flavor. Raises Conflict when id or name is taken."""
    flavor_id = values.get("id")
    values["id"] = new_uuid() if flavor_id in (None, "auto") else str(flavor_id)
    values["name"] = values["name"].strip()
    taken = session.scalar(
        select(Flavor.id).where(or_(Flavor.id == values["id"], Flavor.name == values["name"])).limit(1)
    )
    if taken is not None:
        raise Conflict(
            f"Flavor with name {values['name']} or ID {values['id']} already exists: choose others."
        )
    flavor = Flavor(**values, extra_specs={})
    session.add(flavor)
    session.flush()
    return flavor


def remove(session: Session, flavor_id: str) -> None:
    """Deletes a flavor; servers made from it keep their copy. Raises NotFound."""
    if not session.execute(delete(Flavor).where(Flavor.id == flavor_id)).rowcount:  # type: ignore[attr-defined]
        raise NotFound(f"Flavor {flavor_id} could not be found.")
    session.execute(delete(FlavorAccess).where(FlavorAccess.flavor_id == flavor_id))


class Flavors(Resource):
    """/flavors"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, brief."""
        self._list(req, resp, "/flavors", _BRIEF)

    def on_get_detail(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, complete."""
        self._list(req, resp, "/flavors/detail", ())

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.allow(req, "compute:flavors:create")
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version_of(req))
        flavor = self.db.write(lambda s: create(s, values))
        answer(resp, FIELDS.one(flavor, self.view(req)))

    def _list(self, req: falcon.Request, resp: falcon.Response, path: str, only: tuple[str, ...]) -> None:
        caller = self.allow(req, "compute:flavors:list")
        params = params_of(req)
        page = paging.asked(params, [("flavorid", True)], max_limit=1000)
        with self.db.read() as session:
            statement = _narrowed(caller, params)
            rows = session.scalars(paging.apply_page(session, statement, Flavor, FIELDS, page)).all()
        shown, has_more = paging.cut(rows, page)
        body = FIELDS.many(shown, self.view(req), only)
        if has_more and shown:
            url = paging.next_url(f"{base_url(req)}/v2.1{path}", params, shown[-1].id)
            body["flavors_links"] = [{"rel": "next", "href": url}]
        answer(resp, body)


def _narrowed(caller: Caller, params: dict[str, list[str]]) -> Select[tuple[Flavor]]:
    public = params.get("is_public", [""])[0]
    if not caller.is_admin:
        statement = visible(caller)
    elif public.lower() in ("none",):
        statement = select(Flavor)
    elif public.lower() in ("false", "0", "f", "no", "off", "n"):
        statement = select(Flavor).where(~Flavor.is_public)
    elif public == "" or public.lower() in ("true", "1", "t", "yes", "on", "y"):
        statement = select(Flavor).where(Flavor.is_public)
    else:
        raise BadRequest(f"is_public must be a boolean or none, not {public!r}.")
    for name, column in (("minDisk", Flavor.disk), ("minRam", Flavor.ram)):
        least = paging.counted(params, name)
        if least is not None:
            statement = statement.where(column >= least)
    return statement


class FlavorItem(Resource):
    """/flavors/{flavor_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:flavors:show")
        with self.db.read() as session:
            flavor = find(session, caller, flavor_id)
        answer(resp, FIELDS.one(flavor, self.view(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Changes the description (2.55)."""
        caller = self.allow(req, "compute:flavors:update")
        if version_of(req) < Version(2, 55):
            raise NotFound("The resource could not be found.")
        values = FIELDS.body("update", body_of(req), caller, self.cloud.policy, version_of(req))

        def change(session: Session) -> Flavor:
            flavor = find(session, caller, flavor_id)
            flavor.description = values.get("description")
            return flavor

        answer(resp, FIELDS.one(self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Deletes."""
        self.allow(req, "compute:flavors:delete")
        self.db.write(lambda s: remove(s, flavor_id))
        no_content(resp, 202)


_SPECS = schema.compile_schema(
    {
        "type": "object",
        "required": ["extra_specs"],
        "additionalProperties": False,
        "properties": {
            "extra_specs": {
                "type": "object",
                "additionalProperties": False,
                "patternProperties": {_EXTRA_SPEC_KEY: {"type": ["string", "number"], "maxLength": 255}},
            }
        },
    }
)


class ExtraSpecs(Resource):
    """/flavors/{flavor_id}/os-extra_specs"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Shows all."""
        caller = self.allow(req, "compute:flavors:specs:list")
        with self.db.read() as session:
            answer(resp, {"extra_specs": find(session, caller, flavor_id).extra_specs})

    def on_post(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Adds or changes some."""
        caller = self.allow(req, "compute:flavors:specs:set")
        given = {k: str(v) for k, v in _SPECS(body_of(req))["extra_specs"].items()}

        def change(session: Session) -> None:
            flavor = find(session, caller, flavor_id)
            flavor.extra_specs = {**flavor.extra_specs, **given}

        self.db.write(change)
        answer(resp, {"extra_specs": given})


class ExtraSpec(Resource):
    """/flavors/{flavor_id}/os-extra_specs/{key}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, flavor_id: str, key: str) -> None:
        """Shows one."""
        caller = self.allow(req, "compute:flavors:specs:list")
        with self.db.read() as session:
            specs = find(session, caller, flavor_id).extra_specs
        if key not in specs:
            raise NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.")
        answer(resp, {key: specs[key]})

    def on_put(self, req: falcon.Request, resp: falcon.Response, flavor_id: str, key: str) -> None:
        """Sets one."""
        caller = self.allow(req, "compute:flavors:specs:set")
        body = body_of(req)
        if not isinstance(body, dict) or set(body) != {key} or not re.match(_EXTRA_SPEC_KEY, key):
            raise BadRequest("The body must have exactly the key that the URL names.")
        value = _SPECS({"extra_specs": body})["extra_specs"][key]

        def change(session: Session) -> None:
            flavor = find(session, caller, flavor_id)
            flavor.extra_specs = {**flavor.extra_specs, key: str(value)}

        self.db.write(change)
        answer(resp, {key: str(value)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, flavor_id: str, key: str) -> None:
        """Takes one away."""
        caller = self.allow(req, "compute:flavors:specs:set")

        def change(session: Session) -> None:
            flavor = find(session, caller, flavor_id)
            if key not in flavor.extra_specs:
                raise NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.")
            flavor.extra_specs = {k: v for k, v in flavor.extra_specs.items() if k != key}

        self.db.write(change)
        resp.status = 200
