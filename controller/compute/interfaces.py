"""/servers/{id}/os-interface: NICs of a server; and /ips, its addresses by network."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.compute.servers import lookup, states
from controller.compute.servers.fields import addresses
from controller.compute.servers.networks import NicPlan, plug
from controller.compute.servers.operations import interfaces as operations
from controller.compute.servers.power import unlocked
from controller.db.outbox import changed
from controller.network.ports import server as server_ports
from controller.operations.begin import begin
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.fields import Field, Fields
from controller.web.resource import Resource, answer, body_of, no_content, version_of
from controller.web.versions import Version

FIELDS = Fields(
    "interfaceAttachment",
    "interfaceAttachments",
    [
        Field(name="port_id", schema=schema.UUID, create=True),
        Field(name="net_id", attr="network_id", schema=schema.UUID, create=True),
        Field(name="mac_addr", attr="mac_address"),
        Field(name="port_state", attr="status"),
        Field(
            name="fixed_ips",
            show=lambda row, _: [
                {"ip_address": a.ip_address, "subnet_id": a.subnet_id} for a in row.addresses
            ],
            schema={
                "type": "array",
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["ip_address"],
                    "additionalProperties": False,
                    "properties": {"ip_address": {"type": "string"}},
                },
            },
            create=True,
        ),
        # 2.49: tag; shown since 2.70
        Field(
            name="tag",
            show=lambda row, _: row.tag,
            since=Version(2, 70),
            schema={"type": "string", "minLength": 1, "maxLength": 60, "pattern": r"^[^,/]*$"},
            create=True,
            create_since=Version(2, 49),
        ),
    ],
)


def attach(session: Session, caller: Caller, server_id: str, values: dict[str, Any]) -> str:
    """Makes or claims a port, binds it and begins to plug it; the port's id.

    Raises NotFound, BadRequest, Conflict.
    """
    server = unlocked(session, caller, server_id)
    states.require(server_id, "attach_interface", server.state, server.task)
    fixed = values.get("fixed_ips") or [{}]
    nic = NicPlan(
        port_id=values.get("port_id"),
        network_id=values.get("network_id"),
        fixed_ip=fixed[0].get("ip_address"),
        tag=values.get("tag"),
    )
    if nic.port_id and (nic.network_id or nic.fixed_ip):
        raise BadRequest("Give port_id alone, or net_id with an address: not both.")
    if nic.fixed_ip and not nic.network_id:
        raise BadRequest("fixed_ips needs net_id.")
    if not nic.port_id and not nic.network_id:
        found = server_ports.networks_for_boot(session, server.project_id)
        if len(found) != 1:
            raise BadRequest("Give net_id or port_id: the project has not exactly one network.")
        nic = NicPlan(network_id=found[0], tag=nic.tag)
    port_id = plug(session, caller, server, nic, None)
    server_ports.bind_port(session, port_id, str(server.host))
    begin(
        session,
        operations.ATTACH,
        f"server:{server_id}",
        (server.project_id, caller.user_id),
        port_id=port_id,
    )
    changed(session, "server", server_id)
    return port_id


def detach(session: Session, caller: Caller, server_id: str, port_id: str) -> None:
    """Begins to unplug a port. Raises NotFound, Conflict."""
    server = unlocked(session, caller, server_id)
    _port(session, server_id, port_id)
    states.require(server_id, "detach_interface", server.state, server.task)
    begin(
        session,
        operations.DETACH,
        f"server:{server_id}",
        (server.project_id, caller.user_id),
        port_id=port_id,
    )


def _port(session: Session, server_id: str, port_id: str) -> Any:
    for port in server_ports.of_servers(session, [server_id]).get(server_id, ()):
        if port.port_id == port_id:
            return port
    raise NotFound(f"Port id {port_id} could not be found on instance {server_id}.")


class Interfaces(Resource):
    """All NICs."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "compute:interfaces:list")
        with self.db.read() as session:
            lookup.find(session, caller, server_id)
            ports = server_ports.of_servers(session, [server_id]).get(server_id, [])
        answer(resp, FIELDS.many(ports, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Begins to plug one."""
        caller = self.allow(req, "compute:interfaces:create")
        body = body_of(req)
        values = FIELDS.body(
            "create", body or {FIELDS.singular: {}}, caller, self.cloud.policy, version_of(req)
        )
        port_id = self.db.write(lambda s: attach(s, caller, server_id, values))
        show(self, req, resp, (server_id, port_id))


def show(resource: Resource, req: falcon.Request, resp: falcon.Response, names: tuple[str, str]) -> None:
    """Answers with one NIC; ``names`` are server and port."""
    caller = resource.allow(req, "compute:interfaces:show")
    with resource.db.read() as session:
        lookup.find(session, caller, names[0])
        port = _port(session, *names)
    answer(resp, FIELDS.one(port, resource.view(req)))


class Interface(Resource):
    """One NIC."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str, port_id: str) -> None:
        """Shows."""
        show(self, req, resp, (server_id, port_id))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, server_id: str, port_id: str) -> None:
        """Begins to unplug."""
        caller = self.allow(req, "compute:interfaces:delete")
        self.db.write(lambda s: detach(s, caller, server_id, port_id))
        no_content(resp, 202)


class Addresses(Resource):
    """/servers/{id}/ips"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str, label: str = "") -> None:
        """All addresses, or those of one network."""
        caller = self.allow(req, "compute:servers:show")
        with self.db.read() as session:
            row = lookup.find(session, caller, server_id)
            related = lookup.related(session, [row])
        found = {
            name: [{"addr": a["addr"], "version": a["version"]} for a in listed]
            for name, listed in addresses(row, self.view(req, related)).items()
        }
        if label and label not in found:
            raise NotFound(f"Instance {server_id} has no address on network {label}.")
        answer(resp, {label: found[label]} if label else {"addresses": found})
