"""The kinds of QoS rules, each with its fields in the API, and what ``/qos/rule-types`` says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controller.web import schema
from controller.web.fields import Field, Fields, exact, number

_MOST = (1 << 31) - 1
#: Code points that have a meaning (RFC 2474, 2597, 3246, 5865).
_MARKS = [0, *range(8, 42, 2), 44, 46, 48, 56]
_DIRECTIONS = ["egress", "ingress"]


@dataclass(frozen=True)
class RuleKind:
    """One kind. ``name`` is what rows and ``type`` in answers have."""

    name: str
    fields: Fields
    #: The same rule under its own URL, without its policy's.
    alias: Fields

    @property
    def parameters(self) -> Iterable[dict[str, Any]]:
        """What may be given, as rule types show it."""
        for field in self.fields.fields:
            if field.create:
                yield {
                    "parameter_name": field.name,
                    "parameter_type": "choices" if "enum" in (field.schema or {}) else "range",
                    "parameter_values": _values(field),
                }

    def shown(self, rule: Any) -> dict[str, Any]:
        """The rule as its policy shows it."""
        own = {field.name: getattr(rule, field.attribute) for field in self.fields.fields}
        return {**own, "qos_policy_id": rule.policy_id, "type": self.name}


def _values(field: Field) -> Any:
    return (field.schema or {}).get("enum", {"start": 0, "end": _MOST})


def _amount(name: str, attr: str, **more: Any) -> Field:
    return Field(
        name=name,
        attr=attr,
        schema=schema.integer(0, _MOST),
        create=True,
        update=True,
        store=int,
        filter=number,
        sort=True,
        **more,
    )


def _kind(name: str, *fields: Field) -> RuleKind:
    every = [Field(name="id", filter=exact, sort=True), *fields]
    one = f"{name}_rule"
    return RuleKind(name, Fields(one, f"{one}s", every), Fields(f"alias_{one}", f"alias_{one}s", every))


_DIRECTION = Field(
    name="direction",
    schema={"enum": _DIRECTIONS},
    create=True,
    update=True,
    default="egress",
    filter=exact,
    sort=True,
)

BANDWIDTH_LIMIT = _kind(
    "bandwidth_limit",
    _amount("max_kbps", "value", required=True),
    _amount("max_burst_kbps", "burst", default=0),
    _DIRECTION,
)
PACKET_RATE_LIMIT = _kind(
    "packet_rate_limit",
    _amount("max_kpps", "value", required=True),
    _amount("max_burst_kpps", "burst", default=0),
    _DIRECTION,
)
DSCP_MARKING = _kind(
    "dscp_marking",
    Field(
        name="dscp_mark",
        attr="value",
        schema={"enum": [*_MARKS, *map(str, _MARKS)]},
        create=True,
        update=True,
        required=True,
        store=int,
        filter=number,
        sort=True,
    ),
)

KINDS = {kind.name: kind for kind in (BANDWIDTH_LIMIT, DSCP_MARKING, PACKET_RATE_LIMIT)}
