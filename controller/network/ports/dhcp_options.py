"""Extra DHCP options of a port: each is one name in one IP version.

Rules as in neutron's ``ExtraDhcpOptMixin``: what a change does not name stays, null takes an option away.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from controller.network import refusals
from controller.web.errors import BadRequest

#: Options that say something by being empty: there is no router, there are no routes.
_MAY_BE_EMPTY = ("router", "classless-static-route")

#: Options of one port.
MOST = 64

#: Bytes that DHCP has room for in an option.
_MOST_BYTES = 255

Option = dict[str, Any]


def new(given: Sequence[Option] | None) -> list[Option]:
    """The options of a new port. Raises BadRequest, and Conflict for one that is there twice."""
    asked = _normal(given)
    names = {_name(option) for option in asked}
    if len(names) != len(asked):
        raise refusals.in_use(
            "extra_dhcp_opts names an option twice: give each once per ip_version.",
            "NeutronDbObjectDuplicateEntry",
        )
    return [option for option in asked if option["opt_value"] is not None]


def changed(has: Iterable[Option], given: Sequence[Option] | None) -> list[Option]:
    """The options after a change. Raises BadRequest."""
    found = {_name(option): option for option in has}
    for option in _normal(given):
        if option["opt_value"] is None:
            found.pop(_name(option), None)
        else:
            found[_name(option)] = option
    if len(found) > MOST:
        raise _bad(f"a port has {MOST} options at most.")
    return list(found.values())


def _normal(given: Sequence[Option] | None) -> list[Option]:
    found = []
    for option in given or ():
        name, value = option["opt_name"], option["opt_value"]
        if value is not None and not value.strip() and name not in _MAY_BE_EMPTY:
            raise _bad(f"option {name} needs a value; null removes it.")
        if value is not None and len(value.encode()) > _MOST_BYTES:
            raise _bad(f"the value of option {name} has more than {_MOST_BYTES} bytes.")
        found.append({"opt_name": name, "opt_value": value, "ip_version": int(option.get("ip_version", 4))})
    return found


def _bad(why: str) -> BadRequest:
    return refusals.malformed(f"Invalid input for extra_dhcp_opts. Reason: {why}")


def _name(option: Option) -> tuple[str, int]:
    return option["opt_name"], option["ip_version"]
