"""/v3/endpoints"""

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.catalog import templates
from controller.identity.catalog.model import Endpoint, Region, Service
from controller.identity.resource import Given, IdentityResource, apply, found, links, listed, many, one
from controller.web.errors import BadRequest
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content
from controller.web.schema import Schema

COLUMNS = tuple(Endpoint.__table__.columns)
_REGION: Schema = {"type": ["string", "null"], "maxLength": 255}

FIELDS = Fields(
    "endpoint",
    "endpoints",
    (
        Field(name="id"),
        Field(
            name="interface",
            schema={"enum": ["admin", "internal", "public"]},
            create=True,
            update=True,
            required=True,
            filter=exact,
        ),
        Field(
            name="url",
            schema={"type": "string", "maxLength": 225, "pattern": r"^[a-zA-Z0-9+.-]+:.+"},
            create=True,
            update=True,
            required=True,
        ),
        Field(
            name="service_id",
            schema={"type": "string", "maxLength": 64},
            create=True,
            update=True,
            required=True,
            filter=exact,
        ),
        Field(name="region", attr="region_id", schema=_REGION, create=True, update=True, filter=exact),
        Field(name="region_id", schema=_REGION, create=True, update=True, filter=exact),
        Field(
            name="enabled",
            attr="is_enabled",
            schema={"type": "boolean"},
            create=True,
            update=True,
            default=True,
        ),
        Field(name="links", show=links("endpoints")),
    ),
    is_open=True,
)


class EndpointsApi(IdentityResource):
    """/v3/endpoints"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists endpoints."""
        self.allow(req, "identity:endpoints:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS), Endpoint, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates an endpoint."""
        self.allow(req, "identity:endpoints:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class EndpointApi(IdentityResource):
    """/v3/endpoints/{endpoint_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, endpoint_id: str) -> None:
        """Shows an endpoint."""
        self.allow(req, "identity:endpoints:get")
        with self.db.read() as session:
            row = found(session, Endpoint, endpoint_id, "endpoint")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, endpoint_id: str) -> None:
        """Changes an endpoint."""
        self.allow(req, "identity:endpoints:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> Endpoint:
            row: Endpoint = found(session, Endpoint, endpoint_id, "endpoint")
            given.must_keep(id=endpoint_id)
            _make_region(session, given)
            _check(session, given)
            apply(row, given)
            session.flush()
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, endpoint_id: str) -> None:
        """Deletes an endpoint."""
        self.allow(req, "identity:endpoints:delete")
        self.db.write(lambda session: session.delete(found(session, Endpoint, endpoint_id, "endpoint")))
        no_content(resp)


def create(session: Session, given: Given) -> Endpoint:
    """A new endpoint.

    Raises BadRequest for a service or region that is not there, or a URL with a foreign substitution.
    """
    _make_region(session, given)
    _check(session, given)
    values = given.values
    row = Endpoint(
        interface=values["interface"],
        url=values["url"],
        service_id=values["service_id"],
        region_id=values.get("region_id"),
        is_enabled=values["is_enabled"],
        extra=given.extra,
    )
    session.add(row)
    session.flush()
    return row


def _make_region(session: Session, given: Given) -> None:
    """A region that the old field ``region`` names is made if it is not there, as keystone does."""
    named = given.raw.get("region")
    if named and "region_id" not in given.raw and session.get(Region, named) is None:
        session.add(Region(id=named))
        session.flush()


def _check(session: Session, given: Given) -> None:
    values = given.values
    if "url" in values:
        templates.check(values["url"])
    if "service_id" in values and session.get(Service, values["service_id"]) is None:
        raise BadRequest(f"Could not find service: {values['service_id']}.")
    region_id = values.get("region_id")
    if region_id and session.get(Region, region_id) is None:
        raise BadRequest(f"Could not find region: {region_id}.")
