"""/v3/roles/{role_id}/implies and /v3/role_inferences: which role brings which."""

from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.resource import IdentityResource, found
from controller.identity.roles import closure
from controller.identity.roles.model import Implication, Role
from controller.web.errors import Forbidden, NotFound
from controller.web.resource import answer, base_url, no_content


class ImpliedRolesApi(IdentityResource):
    """/v3/roles/{role_id}/implies"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, role_id: str) -> None:
        """Lists what a role implies."""
        self.allow(req, "identity:implied_roles:list")
        with self.db.read() as session:
            prior = found(session, Role, role_id, "role")
            implied = session.execute(_implied().where(Implication.prior_id == role_id)).all()
        body = {"prior_role": _shown(req, prior), "implies": [_shown(req, row) for row in implied]}
        answer(resp, {"role_inference": body, "links": {"self": f"{base_url(req)}{req.path}"}})


class ImpliedRoleApi(IdentityResource):
    """/v3/roles/{role_id}/implies/{implied_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, role_id: str, implied_id: str) -> None:
        """Shows one implication."""
        self.allow(req, "identity:implied_roles:get")
        with self.db.read() as session:
            prior, implied = _pair(session, role_id, implied_id)
            _implication(session, role_id, implied_id)
        answer(resp, _inference(req, prior, implied))

    def on_head(self, req: falcon.Request, resp: falcon.Response, role_id: str, implied_id: str) -> None:
        """204 if the one implies the other."""
        self.allow(req, "identity:implied_roles:get")
        with self.db.read() as session:
            _pair(session, role_id, implied_id)
            _implication(session, role_id, implied_id)
        no_content(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, role_id: str, implied_id: str) -> None:
        """Makes the one imply the other."""
        self.allow(req, "identity:implied_roles:create")
        prior, implied = self.db.write(lambda session: imply(session, role_id, implied_id))
        answer(resp, _inference(req, prior, implied), 201)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, role_id: str, implied_id: str) -> None:
        """Ends the implication."""
        self.allow(req, "identity:implied_roles:delete")

        def remove(session: Session) -> None:
            _pair(session, role_id, implied_id)
            session.delete(_implication(session, role_id, implied_id))
            closure.rewrite(session)

        self.db.write(remove)
        no_content(resp)


class InferencesApi(IdentityResource):
    """/v3/role_inferences"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists all implications by prior role."""
        self.allow(req, "identity:role_inferences:list")
        with self.db.read() as session:
            roles = {row.id: row for row in session.execute(select(Role.id, Role.name))}
            pairs = session.execute(select(Implication.prior_id, Implication.implied_id)).all()
        rules: dict[str, list[Any]] = {}
        for prior_id, implied_id in sorted((p, i) for p, i in pairs):
            rules.setdefault(prior_id, []).append(_shown(req, roles[implied_id]))
        inferences = [
            {"prior_role": _shown(req, roles[p]), "implies": implied} for p, implied in rules.items()
        ]
        answer(resp, {"role_inferences": inferences, "links": {"self": f"{base_url(req)}{req.path}"}})


def imply(session: Session, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    """Makes one role imply another; safe to repeat. Raises NotFound, and Forbidden for a circle."""
    prior, implied = _pair(session, prior_id, implied_id)
    if implied.domain_id and not prior.domain_id:
        raise Forbidden(f"The role {implied.name} is of a domain: no role of the whole cloud may imply it.")
    pairs = [(r[0], r[1]) for r in session.execute(select(Implication.prior_id, Implication.implied_id))]
    if (implied_id, prior_id) in closure.closure([implied_id], pairs):
        raise Forbidden(f"The role {implied.name} implies {prior.name} already: a circle would come of it.")
    if session.get(Implication, (prior_id, implied_id)) is None:
        session.add(Implication(prior_id=prior_id, implied_id=implied_id))
        closure.rewrite(session)
    return prior, implied


def _pair(session: Session, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    return found(session, Role, prior_id, "role"), found(session, Role, implied_id, "role")


def _implication(session: Session, prior_id: str, implied_id: str) -> Implication:
    row = session.get(Implication, (prior_id, implied_id))
    if row is None:
        raise NotFound(f"The role {prior_id} does not imply {implied_id}.")
    return row


def _implied() -> Any:
    return (
        select(Role.id, Role.name)
        .join(Implication, Implication.implied_id == Role.id)
        .order_by(Role.name, Role.id)
    )


def _inference(req: falcon.Request, prior: Role, implied: Role) -> dict[str, Any]:
    return {
        "role_inference": {"prior_role": _shown(req, prior), "implies": _shown(req, implied)},
        "links": {"self": f"{base_url(req)}{req.path}"},
    }


def _shown(req: falcon.Request, row: Any) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "links": {"self": f"{base_url(req)}/v3/roles/{row.id}"}}
