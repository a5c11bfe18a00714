"""The port forwardings API, below each floating IP."""

from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import bodies, collection, refusals
from controller.network.floating_ips.kind import KIND as FLOATING_IPS
from controller.network.floating_ips.model import FloatingIp
from controller.network.port_forwardings.create import create
from controller.network.port_forwardings.delete import delete
from controller.network.port_forwardings.kind import KIND
from controller.network.port_forwardings.model import PortForwarding
from controller.network.port_forwardings.update import update
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of, no_content, params_of


class PortForwardings(Resource):
    """``/floatingips/{row_id}/port_forwardings``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Those of the floating IP."""
        caller = self.allow(req, "network:port_forwarding:list")
        params = params_of(req)
        with self.db.read() as session:
            collection.find(session, FLOATING_IPS, caller, row_id)
            of_this = {**params, "floatingip_id": [row_id]}
            rows, page, has_more = collection.listed(session, KIND, caller, of_this)
        body = KIND.fields.many(rows, self.view(req), params.get("fields", ()))
        answer(resp, {**body, **collection.links(req, KIND.fields.plural, rows, page, has_more)})

    def on_post(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """A new one, or many in one transaction."""
        caller = self.allow(req, "network:port_forwarding:create")
        given, is_bulk = bodies.items(KIND.fields, body_of(req))
        values = [bodies.created(KIND.fields, one, caller, self.cloud.policy) for one in given]

        def write(session: Session) -> list[PortForwarding]:
            floating_ip: FloatingIp = collection.find(session, FLOATING_IPS, caller, row_id)
            return [create(session, caller, floating_ip, one) for one in values]

        rows, view = self.db.write(write), self.view(req)
        answer(resp, KIND.fields.many(rows, view) if is_bulk else KIND.fields.one(rows[0], view), 201)


class PortForwardingMember(Resource):
    """``/floatingips/{row_id}/port_forwardings/{forwarding_id}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str, forwarding_id: str) -> None:
        """The port forwarding."""
        caller = self.allow(req, "network:port_forwarding:show")
        with self.db.read() as session:
            row = _find(session, caller, row_id, forwarding_id)
        answer(resp, {KIND.fields.singular: KIND.fields.view(row, self.view(req), _only(req))})

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str, forwarding_id: str) -> None:
        """A change of it."""
        caller = self.allow(req, "network:port_forwarding:update")
        given = bodies.inner(KIND.fields, body_of(req))
        values = bodies.updated(KIND.fields, given, caller, self.cloud.policy)

        def write(session: Session) -> PortForwarding:
            row = _find(session, caller, row_id, forwarding_id)
            update(session, caller, row, values)
            return row

        answer(resp, KIND.fields.one(self.db.write(write), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, row_id: str, forwarding_id: str) -> None:
        """Its end."""
        caller = self.allow(req, "network:port_forwarding:delete")
        self.db.write(lambda session: delete(session, _find(session, caller, row_id, forwarding_id)))
        no_content(resp)


def _find(session: Session, caller: Caller, row_id: str, forwarding_id: str) -> PortForwarding:
    collection.find(session, FLOATING_IPS, caller, row_id)
    row = session.scalar(
        select(PortForwarding).where(
            PortForwarding.id == forwarding_id, PortForwarding.floatingip_id == row_id
        )
    )
    if row is None:
        raise refusals.missing(KIND.words, forwarding_id)
    return row


def _only(req: falcon.Request) -> Any:
    return params_of(req).get("fields", ())
