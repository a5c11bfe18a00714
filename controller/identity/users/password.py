"""POST /v3/users/{user_id}/password: users change their own password by saying the one they have."""

import falcon
from sqlalchemy.orm import Session

from controller.identity.resource import IdentityResource
from controller.identity.tokens.identify import REFUSED
from controller.identity.users.fields import PASSWORD
from controller.identity.users.model import User
from controller.identity.users.update import set_password
from controller.web.errors import BadRequest, Conflict, Unauthorized
from controller.web.resource import body_of, caller_of, no_content
from controller.web.schema import compile_schema

_TEXT = {**PASSWORD, "type": "string"}
_check = compile_schema(
    {
        "type": "object",
        "properties": {
            "user": {
                "type": "object",
                "properties": {"password": _TEXT, "original_password": _TEXT},
                "required": ["password", "original_password"],
                "additionalProperties": False,
            }
        },
        "required": ["user"],
        "additionalProperties": False,
    }
)


class PasswordApi(IdentityResource):
    """See the module."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Changes the password; every token of the user ends."""
        self.allow_own(req, "identity:password:change", caller_of(req).user_id == user_id)
        asked = _check(body_of(req))["user"]
        generation = self._prove(user_id, asked["original_password"])
        hashed = self.tools.passwords.hashed(asked["password"])

        def change(session: Session) -> None:
            row = session.get(User, user_id)
            if row is None or row.security_generation != generation:
                raise Conflict("The password was changed meanwhile: get a new token and try again.")
            set_password(row, hashed)

        self.db.write(change)
        no_content(resp)

    def _prove(self, user_id: str, password: str) -> int:
        """The security generation of the user whose password this is. Raises Unauthorized, BadRequest."""
        with self.db.read() as session:
            row = session.get(User, user_id)
        is_enabled = row is not None and row.is_enabled
        stored = row.password_hash if row is not None else None
        if not self.tools.passwords.is_right(password, stored, may_remember=is_enabled) or row is None:
            raise Unauthorized(REFUSED)
        if row.options.get("lock_password"):
            raise BadRequest("The password of this user is locked: ask an administrator to change it.")
        return row.security_generation
