"""/v3/regions"""

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.db.columns import new_hex
from controller.identity.catalog.model import Endpoint, Region
from controller.identity.resource import (
    NULLABLE_TEXT,
    Given,
    IdentityResource,
    apply,
    flush,
    found,
    links,
    listed,
    many,
    one,
)
from controller.web.errors import BadRequest, Forbidden, NotFound
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content
from controller.web.schema import Schema

COLUMNS = tuple(Region.__table__.columns)
_ID: Schema = {"type": ["string", "null"], "maxLength": 255}

FIELDS = Fields(
    "region",
    "regions",
    (
        Field(name="id", schema=_ID, create=True),
        Field(name="description", schema=NULLABLE_TEXT, create=True, update=True, default=""),
        Field(name="parent_region_id", schema=_ID, create=True, update=True, filter=exact),
        Field(name="links", show=links("regions")),
    ),
    is_open=True,
)


class RegionsApi(IdentityResource):
    """/v3/regions"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists regions."""
        self.allow(req, "identity:regions:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS), Region, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a region."""
        self.allow(req, "identity:regions:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given, given.values.get("id") or new_hex()))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class RegionApi(IdentityResource):
    """/v3/regions/{region_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, region_id: str) -> None:
        """Shows a region."""
        self.allow(req, "identity:regions:get")
        with self.db.read() as session:
            row = found(session, Region, region_id, "region")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, region_id: str) -> None:
        """Creates a region with this id."""
        self.allow(req, "identity:regions:create")
        given = self.given(req, FIELDS, "create")
        given.must_keep(id=region_id)
        row = self.db.write(lambda session: create(session, given, region_id))
        answer(resp, one(FIELDS, row, self.view(req)), 201)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, region_id: str) -> None:
        """Changes a region."""
        self.allow(req, "identity:regions:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> Region:
            row: Region = found(session, Region, region_id, "region")
            given.must_keep(id=region_id)
            _check_parent(session, given, region_id)
            apply(row, given)
            row.description = row.description or ""
            session.flush()
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, region_id: str) -> None:
        """Deletes a region that nothing is in."""
        self.allow(req, "identity:regions:delete")

        def remove(session: Session) -> None:
            row = found(session, Region, region_id, "region")
            for column in (Region.parent_region_id, Endpoint.region_id):
                if session.scalar(select(func.count()).where(column == region_id)):
                    raise Forbidden(f"Regions or endpoints are in the region {region_id}: delete them first.")
            session.delete(row)

        self.db.write(remove)
        no_content(resp)


def create(session: Session, given: Given, region_id: str) -> Region:
    """A new region. Raises BadRequest, Conflict."""
    _check_parent(session, given, region_id)
    row = Region(
        id=region_id,
        description=given.values.get("description") or "",
        parent_region_id=given.values.get("parent_region_id"),
        extra=given.extra,
    )
    session.add(row)
    flush(session, f"A region {region_id} is there already: choose another id.")
    return row


def _check_parent(session: Session, given: Given, region_id: str) -> None:
    """Raises NotFound for a parent that is not there, BadRequest for one that is below the region."""
    parent_id = given.values.get("parent_region_id")
    while parent_id:
        if parent_id == region_id:
            raise BadRequest("A region cannot be below itself: choose another parent_region_id.")
        parent = session.get(Region, parent_id)
        if parent is None:
            raise NotFound(f"Could not find region: {parent_id}.")
        parent_id = parent.parent_region_id
