"""/v3/services"""

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.catalog.model import Service
from controller.identity.resource import Given, IdentityResource, apply, found, links, listed, many, one
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content
from controller.web.schema import Schema

COLUMNS = tuple(Service.__table__.columns)
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255}

FIELDS = Fields(
    "service",
    "services",
    (
        Field(name="id"),
        Field(name="type", schema=_NAME, create=True, update=True, required=True, filter=exact, sort=True),
        Field(name="name", schema=_NAME, create=True, update=True, default="", filter=exact, sort=True),
        Field(
            name="enabled",
            attr="is_enabled",
            schema={"type": "boolean"},
            create=True,
            update=True,
            default=True,
        ),
        Field(name="links", show=links("services")),
    ),
    is_open=True,
)


class ServicesApi(IdentityResource):
    """/v3/services"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists services."""
        self.allow(req, "identity:services:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS), Service, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a service."""
        self.allow(req, "identity:services:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class ServiceApi(IdentityResource):
    """/v3/services/{service_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Shows a service."""
        self.allow(req, "identity:services:get")
        with self.db.read() as session:
            row = found(session, Service, service_id, "service")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Changes a service."""
        self.allow(req, "identity:services:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> Service:
            row: Service = found(session, Service, service_id, "service")
            given.must_keep(id=service_id)
            apply(row, given)
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Deletes a service with its endpoints."""
        self.allow(req, "identity:services:delete")
        self.db.write(lambda session: session.delete(found(session, Service, service_id, "service")))
        no_content(resp)


def create(session: Session, given: Given) -> Service:
    """A new service."""
    values = given.values
    row = Service(
        type=values["type"], name=values["name"], is_enabled=values["is_enabled"], extra=given.extra
    )
    session.add(row)
    session.flush()
    return row
