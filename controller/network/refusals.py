"""Errors with the type names that neutron's clients look at."""

from controller.web.errors import BadRequest, Conflict, Forbidden, NotFound


class OverQuota(Conflict):
    """A quota of the project would be exceeded: 409 here, unlike in the other services."""


def invalid(message: str, kind: str = "InvalidInput") -> BadRequest:
    """A value that cannot be."""
    return BadRequest(message, kind=kind)


def malformed(message: str) -> BadRequest:
    """A body that is not as the call wants it."""
    return BadRequest(message, kind="HTTPBadRequest")


def in_use(message: str, kind: str) -> Conflict:
    """Something else stands on it, or it is taken."""
    return Conflict(message, kind=kind)


def disallowed(rule: str, what: str) -> Forbidden:
    """A value that the caller's role may not give."""
    return Forbidden(f"({rule}) is disallowed by policy: {what}", kind="PolicyNotAuthorized")


def bad(what: str, why: str) -> BadRequest:
    """A request that cannot be, of the kind that the verbs of routers and floating IPs refuse."""
    return BadRequest(f"Bad {what} request: {why}.", kind="BadRequest")


def absent(message: str, kind: str) -> NotFound:
    """Not there, where more is to be said than its name."""
    return NotFound(message, kind=kind)


def missing(what: str, name: str) -> NotFound:
    """Not there, or not for the caller; ``what`` is the resource in words."""
    if what == "floatingip":
        return NotFound(f"Floating IP {name} could not be found.", kind="FloatingIPNotFound")
    kind = what.title().replace(" ", "") + "NotFound"
    if what.startswith("security group"):
        return NotFound(f"{what.capitalize()} {name} does not exist", kind=kind)
    return NotFound(f"{what.capitalize()} {name} could not be found.", kind=kind)
