"""What all collections of neutron share: finding a row, listing with filters, pages and fields, and the
API classes of a collection and of one member. A resource's ``kind.py`` says what is special about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import falcon
from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session

from controller.network import bodies, refusals
from controller.network.rbac import shared
from controller.network.tags import model as tags
from controller.web import paging
from controller.web.caller import Caller
from controller.web.errors import BadRequest
from controller.web.fields import Fields
from controller.web.resource import Resource, answer, base_url, body_of, no_content, params_of

Params = Mapping[str, list[str]]
Related = dict[str, Mapping[str, Any]]


def _unrefined(statement: Select[Any], _params: Params) -> Select[Any]:
    return statement


@dataclass(frozen=True)
class Kind:
    """One kind of resource. ``name`` is its word in policies and, with spaces, in errors.

    ``related`` loads what the view needs beside the rows, in a constant number of queries. ``shared`` is
    what others than the owner may see. ``refine`` narrows lists by parameters that are no plain column.
    """

    name: str
    fields: Fields
    model: Any
    related: Callable[[Session, Sequence[Any]], Related]
    shared: Callable[[Caller], ColumnElement[bool] | None] = lambda _caller: None
    refine: Callable[[Select[Any], Params], Select[Any]] = _unrefined

    @property
    def words(self) -> str:
        """The resource as a user calls it."""
        return self.name.replace("_", " ")


def visible(kind: Kind, statement: Select[Any], caller: Caller) -> Select[Any]:
    """Only what the caller may see."""
    if caller.is_admin:
        return statement
    # the cloud's own rows have no project, as a caller may have none: they are not his for that
    own = kind.model.project_id == caller.own_project if caller.own_project else false()
    others = kind.shared(caller)
    return statement.where(own if others is None else own | others)


def find(session: Session, kind: Kind, caller: Caller, row_id: str) -> Any:
    """The row, if the caller may see it. Raises NotFound."""
    row = session.scalar(visible(kind, select(kind.model).where(kind.model.id == row_id), caller))
    if row is None:
        raise refusals.missing(kind.words, row_id)
    return row


def owned(session: Session, kind: Kind, caller: Caller, row_id: str, verb: str) -> Any:
    """The row, if the caller may change it. Raises NotFound, and Forbidden for what is only shown to him."""
    row = find(session, kind, caller, row_id)
    if not caller.is_admin and row.project_id != caller.own_project:
        raise refusals.disallowed(f"{verb}_{kind.name}", "it belongs to another project.")
    return row


def listed(
    session: Session, kind: Kind, caller: Caller, params: Params
) -> tuple[list[Any], paging.Page, bool]:
    """The rows that a list request asks for, the page and whether more follow. Raises BadRequest."""
    statement = visible(kind, select(kind.model.__table__), caller)
    statement = tags.refine(kind.refine(statement, params), kind.model, params)
    statement = shared.refine(statement, kind.model, kind.fields, caller, params)
    return paged(session, statement, kind.model, kind.fields, params)


def paged(
    session: Session, statement: Select[Any], model: Any, fields: Fields, params: Params
) -> tuple[list[Any], paging.Page, bool]:
    """As ``listed``, for rows that are found already. Raises BadRequest."""
    statement = paging.apply_filters(statement, model, fields, params)
    page = _page(params)
    statement = paging.apply_page(session, statement, model, fields, page)
    rows, has_more = paging.cut(session.execute(statement).all(), page)
    return rows, page, has_more


def _page(params: Params) -> paging.Page:
    keys, directions = params.get("sort_key", []), params.get("sort_dir", [])
    if directions and len(directions) != len(keys):
        raise BadRequest("The number of sort_keys and sort_dirs must be same", kind="HTTPBadRequest")
    asked = {**params, "sort_dir": directions or ["asc"] * len(keys)}
    asked.pop("sort", None)
    if params.get("limit") == ["0"]:
        asked["limit"] = [""]
    return paging.asked(asked, (("id", True),))


def links(req: falcon.Request, plural: str, rows: Sequence[Any], page: paging.Page, has_more: bool) -> Any:
    """``{plural}_links`` of an answer that is cut; empty otherwise."""
    if page.limit is None or not rows:
        return {}
    params = {k: v for k, v in params_of(req).items() if k != "page_reverse"}
    url = base_url(req) + req.path
    found = []
    has_next, has_previous = (
        (bool(page.marker), has_more) if page.is_reverse else (has_more, bool(page.marker))
    )
    if has_next:
        found.append({"rel": "next", "href": paging.next_url(url, params, rows[-1].id)})
    if has_previous:
        backwards = {**params, "page_reverse": ["True"]}
        found.append({"rel": "previous", "href": paging.next_url(url, backwards, rows[0].id)})
    return {f"{plural}_links": found} if found else {}


class Collection(Resource):
    """A list and its POST. ``create`` is the resource's verb."""

    kind: ClassVar[Kind]

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Any:
        """Writes a new resource."""
        raise NotImplementedError

    def create_all(self, session: Session, caller: Caller, values: list[dict[str, Any]]) -> Sequence[Any]:
        """Writes new resources, all or none."""
        return [self.create(session, caller, one) for one in values]

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Those that the caller may see."""
        kind, params = self.kind, params_of(req)
        caller = self.allow(req, f"network:{kind.name}:list")
        with self.db.read() as session:
            rows, page, has_more = listed(session, kind, caller, params)
            related = kind.related(session, rows) if rows else {}
        body = kind.fields.many(rows, self.view(req, related), params.get("fields", ()))
        answer(resp, {**body, **links(req, kind.fields.plural, rows, page, has_more)})

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """One new resource, or many in one transaction."""
        kind = self.kind
        caller = self.allow(req, f"network:{kind.name}:create")
        given, is_bulk = bodies.items(kind.fields, body_of(req))
        values = [bodies.created(kind.fields, one, caller, self.cloud.policy) for one in given]

        def write(session: Session) -> tuple[Sequence[Any], Related]:
            rows = self.create_all(session, caller, [dict(one) for one in values])
            session.flush()
            return rows, kind.related(session, rows)

        rows, related = self.db.write(write)
        view = self.view(req, related)
        answer(resp, kind.fields.many(rows, view) if is_bulk else kind.fields.one(rows[0], view), 201)


class Member(Resource):
    """One resource: show, change, delete."""

    kind: ClassVar[Kind]

    def update(self, session: Session, caller: Caller, row: Any, values: dict[str, Any]) -> None:
        """Writes a change."""
        raise NotImplementedError

    def delete(self, session: Session, caller: Caller, row: Any) -> None:
        """Removes the resource."""
        raise NotImplementedError

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """The resource."""
        kind = self.kind
        caller = self.allow(req, f"network:{kind.name}:show")
        with self.db.read() as session:
            row = find(session, kind, caller, row_id)
            related = kind.related(session, [row])
        only = params_of(req).get("fields", ())
        answer(resp, {kind.fields.singular: kind.fields.view(row, self.view(req, related), only)})

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """A change of it."""
        kind = self.kind
        caller = self.allow(req, f"network:{kind.name}:update")
        given = bodies.inner(kind.fields, body_of(req))

        def write(session: Session) -> tuple[Any, Related]:
            row = owned(session, kind, caller, row_id, "update")
            values = bodies.updated(kind.fields, given, caller, self.cloud.policy)
            self.update(session, caller, row, values)
            session.flush()
            return row, kind.related(session, [row])

        row, related = self.db.write(write)
        answer(resp, kind.fields.one(row, self.view(req, related)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Its end."""
        caller = self.allow(req, f"network:{self.kind.name}:delete")
        self.db.write(
            lambda session: self.delete(session, caller, owned(session, self.kind, caller, row_id, "delete"))
        )
        no_content(resp)
