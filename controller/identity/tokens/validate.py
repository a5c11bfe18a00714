"""From the text of a token to who it stands for, for every request of every service."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.db.session import Database
from controller.identity.tokens import subject
from controller.identity.tokens.keys import KeyRing
from controller.identity.tokens.payload import Payload, decode
from controller.identity.tokens.subject import Subject
from controller.web.caller import Caller
from controller.web.errors import Unauthorized


def authenticate(db: Database, keys: KeyRing) -> Callable[[str], Caller]:
    """The function by which services learn who calls; it raises Unauthorized.

    The token is read in a transaction of its own, before that of the verb.
    """

    def check(token: str) -> Caller:
        payload = opened(keys, token)
        with db.read() as session:
            return subject.caller(valid(session, payload), payload)

    return check


def opened(keys: KeyRing, token: str) -> Payload:
    """What a token says, if it is ours and not over. Raises Unauthorized."""
    if not token:
        raise Unauthorized("The request you have made requires authentication: send X-Auth-Token.")
    payload = decode(keys.decrypt(token))
    if payload.expires_at <= now():
        raise Unauthorized("The token has expired: get a new one.")
    return payload


def valid(session: Session, payload: Payload) -> Subject:
    """The subject of an opened token. Raises Unauthorized when anything it stands on is gone."""
    found = subject.find(session, payload)
    if found is None:
        raise Unauthorized("The token is not valid any more: get a new one.")
    return found
