"""The tags API: ``/{collection}/{id}/tags`` of every resource that has tags."""

from typing import Any, ClassVar

import falcon
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.floating_ips.kind import KIND as FLOATING_IPS
from controller.network.networks.kind import KIND as NETWORKS
from controller.network.ports.kind import KIND as PORTS
from controller.network.qos.kind import KIND as QOS_POLICIES
from controller.network.routers.kind import KIND as ROUTERS
from controller.network.security_groups.kind import KIND as SECURITY_GROUPS
from controller.network.subnet_pools.kind import KIND as SUBNET_POOLS
from controller.network.subnets.kind import KIND as SUBNETS
from controller.network.tags import model as tags
from controller.network.trunks.kind import KIND as TRUNKS
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import NotFound
from controller.web.resource import Resource, answer, body_of, no_content

#: Most tags of one resource.
MAX_TAGS = 50

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {
            "tags": {
                "type": "array",
                "maxItems": MAX_TAGS,
                "items": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 255,
                    "pattern": r"^[^,/\x00-\x1f]+\Z",
                },
            }
        },
        "required": ["tags"],
        "additionalProperties": False,
    }
)


class _Tagged(Resource):
    """Finds the resource whose tags are asked for."""

    kind: ClassVar[collection.Kind]

    def shown(self, req: falcon.Request, row_id: str) -> list[str]:
        """The tags of a resource that the caller may see."""
        caller = self.allow(req, "network:tag:show")
        with self.db.read() as session:
            row = collection.find(session, self.kind, caller, row_id)
            return tags.of(session, [row.id]).get(row.id, [])

    def change(self, req: falcon.Request, row_id: str, change: Any) -> list[str]:
        """Replaces the tags by what ``change`` makes of those that are there."""
        caller = self.allow(req, "network:tag:update")
        return self.db.write(lambda session: self._write(session, caller, row_id, change))

    def _write(self, session: Session, caller: Caller, row_id: str, change: Any) -> list[str]:
        row = collection.owned(session, self.kind, caller, row_id, "update")
        standard.lock_row(session, row, self.kind.words)
        wanted = sorted(set(change(tags.of(session, [row.id]).get(row.id, []))))
        if len(wanted) > MAX_TAGS:
            raise refusals.malformed(f"A resource has {MAX_TAGS} tags at most.")
        tags.replace(session, row.id, wanted)
        standard.touch(row)
        return wanted


class _Tags(_Tagged):
    """All tags of a resource."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Lists them."""
        answer(resp, {"tags": self.shown(req, row_id)})

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Replaces them."""
        given = _CHECK(body_of(req))["tags"]
        answer(resp, {"tags": self.change(req, row_id, lambda _has: given)})

    def on_post(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Adds some."""
        given = _CHECK(body_of(req))["tags"]
        answer(resp, {"tags": self.change(req, row_id, lambda has: [*has, *given])})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Removes them."""
        self.change(req, row_id, lambda _has: [])
        no_content(resp)


class _Tag(_Tagged):
    """One tag of a resource."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str, tag: str) -> None:
        """204 when it is there."""
        _present(self.shown(req, row_id), tag)
        no_content(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str, tag: str) -> None:
        """Adds it."""
        _CHECK({"tags": [tag]})
        self.change(req, row_id, lambda has: [*has, tag])
        no_content(resp, 201)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, row_id: str, tag: str) -> None:
        """Removes it."""
        self.change(req, row_id, lambda has: [t for t in _present(has, tag) if t != tag])
        no_content(resp)


def _present(has: list[str], tag: str) -> list[str]:
    if tag not in has:
        raise NotFound(f"Tag {tag} could not be found.", kind="TagNotFound")
    return has


class NetworkTags(_Tags):
    """Tags of a network."""

    kind = NETWORKS


class NetworkTag(_Tag):
    """One tag of a network."""

    kind = NETWORKS


class SubnetTags(_Tags):
    """Tags of a subnet."""

    kind = SUBNETS


class SubnetTag(_Tag):
    """One tag of a subnet."""

    kind = SUBNETS


class PortTags(_Tags):
    """Tags of a port."""

    kind = PORTS


class PortTag(_Tag):
    """One tag of a port."""

    kind = PORTS


class SecurityGroupTags(_Tags):
    """Tags of a security group."""

    kind = SECURITY_GROUPS


class SecurityGroupTag(_Tag):
    """One tag of a security group."""

    kind = SECURITY_GROUPS


class SubnetPoolTags(_Tags):
    """Tags of a subnet pool."""

    kind = SUBNET_POOLS


class SubnetPoolTag(_Tag):
    """One tag of a subnet pool."""

    kind = SUBNET_POOLS


class RouterTags(_Tags):
    """Tags of a router."""

    kind = ROUTERS


class RouterTag(_Tag):
    """One tag of a router."""

    kind = ROUTERS


class FloatingIpTags(_Tags):
    """Tags of a floating IP."""

    kind = FLOATING_IPS


class FloatingIpTag(_Tag):
    """One tag of a floating IP."""

    kind = FLOATING_IPS


class QosPolicyTags(_Tags):
    """Tags of a QoS policy."""

    kind = QOS_POLICIES


class QosPolicyTag(_Tag):
    """One tag of a QoS policy."""

    kind = QOS_POLICIES


class TrunkTags(_Tags):
    """Tags of a trunk."""

    kind = TRUNKS


class TrunkTag(_Tag):
    """One tag of a trunk."""

    kind = TRUNKS
