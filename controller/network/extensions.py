"""``/extensions``: what this service offers beyond the core of the API. What is announced works."""

from typing import Any

import falcon

from controller.network import refusals
from controller.web.resource import Resource, answer

#: Alias, as clients look for it, and what it brings.
EXTENSIONS: dict[str, str] = {
    "address-scope": "Scopes of addresses that routers route within",
    "address-group": "Prefixes that rules of security groups name as one",
    "agent": "Agents, and whether they are alive",
    "allowed-address-pairs": "Further addresses that a port may use",
    "auto-allocated-topology": "Networks with a way outside, made when first asked for",
    "availability_zone": "Availability zones",
    "binding": "Where a port is bound",
    "default-subnetpools": "Subnet pools that subnets are cut from by default",
    "dhcp_agent_scheduler": "Which agents answer DHCP of which networks",
    "dns-domain-ports": "Domains of single ports",
    "dns-integration": "Names of ports and domains of networks",
    "extra_dhcp_opt": "DHCP options of single ports",
    "ext-gw-mode": "Gateways of routers with and without SNAT",
    "expose-port-forwarding-in-fip": "Port forwardings shown with their floating IP",
    "external-net": "Networks to the outside",
    "extraroute": "Extra routes of routers",
    "extraroute-atomic": "Extra routes added and removed without naming the others",
    "fip-port-details": "What is shown of the port behind a floating IP",
    "floating-ip-port-forwarding": "Ports of floating IPs forwarded to ports of inner addresses",
    "floating-ip-port-forwarding-description": "Descriptions of port forwardings",
    "floating-ip-port-forwarding-detail": "More of the port forwardings that are shown with floating IPs",
    "floating-ip-port-forwarding-port-ranges": "Ranges of ports forwarded",
    "ip-substring-filtering": "Ports found by a part of their address",
    "l3_agent_scheduler": "Which agents carry which routers",
    "net-mtu": "MTU of networks",
    "net-mtu-writable": "MTU of networks, chosen by their creator",
    "network-ip-availability": "Counts of used addresses",
    "network_availability_zone": "Availability zones of networks",
    "pagination": "Lists in pages",
    "port-security": "Networks and ports without spoofing protection",
    "project-id": "project_id beside tenant_id",
    "provider": "How networks are carried",
    "qos": "Limits of bandwidth and marks for ports",
    "qos-bw-limit-direction": "Limits of bandwidth in either direction",
    "qos-default": "The QoS policy that new networks of a project have",
    "qos-fip": "QoS policies of floating IPs",
    "qos-fip-network-policy": "The QoS policy that a floating IP has of its network",
    "qos-gateway-ip": "QoS policies of routers' gateways",
    "qos-port-network-policy": "The QoS policy that a port has of its network",
    "qos-pps": "Limits of packets",
    "qos-rule-type-details": "What a kind of QoS rules takes",
    "qos-rule-type-filter": "Kinds of QoS rules, filtered",
    "qos-rules-alias": "QoS rules without naming their policy",
    "quota_details": "Quotas with what is used",
    "quotas": "Limits of projects",
    "rbac-address-group": "Policies of access to address groups",
    "rbac-address-scope": "Policies of access to address scopes",
    "rbac-policies": "Policies of access to networks and QoS policies",
    "rbac-security-groups": "Policies of access to security groups",
    "rbac-subnetpool": "Policies of access to subnet pools",
    "router": "Routers and floating IPs",
    "router_availability_zone": "Availability zones of routers",
    "security-group": "Security groups and rules",
    "security-groups-default-rules": "Rules that new security groups begin with",
    "security-groups-shared-filtering": "Security groups found by whether they are shared",
    "security-groups-normalized-cidr": "Prefixes of rules in their usual writing",
    "sorting": "Sorted lists",
    "security-groups-remote-address-group": "Rules that name an address group",
    "service-type": "How routers are carried",
    "standard-attr-description": "Descriptions",
    "standard-attr-revisions": "Revision numbers",
    "standard-attr-tag": "Tags of networks, subnets, ports, security groups, routers, floating IPs and subnet pools",
    "standard-attr-timestamp": "Times of creation and last change",
    "subnet-service-types": "Subnets for ports of certain owners",
    "subnet_allocation": "Subnets cut from pools",
    "subnet_onboard": "Subnets of networks taken into pools",
    "subnetpool-prefix-ops": "Prefixes of subnet pools added and removed",
    "stateful-security-group": "Groups that keep no connection state",
    "trunk": "Ports whose tagged frames are those of other ports",
    "trunk-details": "The subports shown with their parent",
}


def shown(alias: str) -> dict[str, Any]:
    """An extension in the API."""
    return {
        "alias": alias,
        "name": alias.replace("-", " ").replace("_", " ").capitalize(),
        "description": EXTENSIONS[alias],
        "updated": "2026-01-01T00:00:00-00:00",
        "links": [],
    }


class Extensions(Resource):
    """All extensions."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists them."""
        self.allow(req, "network:extension:list")
        answer(resp, {"extensions": [shown(alias) for alias in EXTENSIONS]})


class Extension(Resource):
    """One extension."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, alias: str) -> None:
        """Shows it; clients ask in this way whether it is there."""
        self.allow(req, "network:extension:list")
        if alias not in EXTENSIONS:
            raise refusals.missing("extension", alias)
        answer(resp, {"extension": shown(alias)})
