"""Who may do what with the network service: a row for every method of every URL.

Written by hand, so that a change of a rule is a change here. ``test_who_may_what.py`` asks every route of the service
and fails for one that has no row.

A decision is a letter for each of ROLES: ``y`` it is done, ``-`` 403, ``0`` 404, ``b`` 400, ``x`` 405. ``own`` is
what happens to what is of the caller's project, ``foreign`` to what is of another one; where the URL names nothing of
a project: with ``project_id`` of another one in the query or the body, and ``y`` of a list means that what is foreign
is in it. An empty ``foreign`` is of what no project has.
"""

from typing import Any, NamedTuple

#: One role each, as tokens carry them with what it implies; the first is a role that no rule names.
ROLES = ("nothing", "reader", "member", "manager", "admin", "service")

#: Everybody with a role of the cloud's; those who may write; administrators.
READERS, WRITERS, MANAGERS, ADMINS = "-yyyy-", "--yyy-", "---yy-", "----y-"
#: What is of others is not there, except for administrators.
NOT_THERE_TO_READERS, NOT_THERE_TO_WRITERS, NOT_THERE_TO_MANAGERS = "-000y-", "--00y-", "---0y-"
#: For another project only administrators make something: neutron calls the wish malformed.
NOT_FOR_OTHERS = "--bby-"
#: There is no such change: 405.
NEVER = "-xxxx-"


class Row(NamedTuple):
    """``body`` may hold ``{kind}`` of what the world has: that of the caller's project, whoever the URL is about."""

    method: str
    url: str
    own: str
    foreign: str = ""
    body: dict[str, Any] | None = None


def _collection(url: str, singular: str, body: dict[str, Any]) -> list[Row]:
    """List and create: nobody lists what is of others or makes it for them but an administrator."""
    return [
        Row("GET", url, READERS, NOT_THERE_TO_READERS),
        Row("POST", url, WRITERS, NOT_FOR_OTHERS, {singular: body}),
    ]


def _member(url: str, singular: str) -> list[Row]:
    return [
        Row("GET", url, READERS, NOT_THERE_TO_READERS),
        Row("PUT", url, WRITERS, NOT_THERE_TO_WRITERS, {singular: {"description": "another"}}),
        Row("DELETE", url, WRITERS, NOT_THERE_TO_WRITERS),
    ]


def _managed(url: str, singular: str, body: dict[str, Any]) -> list[Row]:
    """What members see and managers change."""
    return [
        Row("GET", url, READERS, NOT_THERE_TO_READERS),
        Row("PUT", url, MANAGERS, NOT_THERE_TO_MANAGERS, {singular: body}),
        Row("DELETE", url, MANAGERS, NOT_THERE_TO_MANAGERS),
    ]


def _qos() -> list[Row]:
    url = "/v2.0/qos/policies"
    policy = f"{url}/{{row_id}}"
    rows = [
        Row("GET", url, READERS, NOT_THERE_TO_READERS),
        Row("POST", url, MANAGERS, "---by-", {"policy": {"name": "p"}}),
        *_managed(policy, "policy", {"description": "another"}),
        *_tagged(policy),
        Row("GET", "/v2.0/qos/rule-types", READERS),
        Row("GET", "/v2.0/qos/rule-types/{name}", ADMINS),
    ]
    for kind, first, second in (
        ("bandwidth_limit", {"max_kbps": 5, "direction": "ingress"}, {"max_kbps": 6}),
        ("dscp_marking", {"dscp_mark": 8}, {"dscp_mark": 10}),
        ("packet_rate_limit", {"max_kpps": 5, "direction": "ingress"}, {"max_kpps": 6}),
    ):
        rules, singular = f"{policy}/{kind}_rules", f"{kind}_rule"
        rows.append(Row("GET", rules, READERS, NOT_THERE_TO_READERS))
        rows.append(Row("POST", rules, MANAGERS, NOT_THERE_TO_MANAGERS, {singular: first}))
        rows += _managed(f"{rules}/{{rule_id}}", singular, second)
        if kind != "packet_rate_limit":
            for words in (f"alias_{kind}_rules", f"alias-{kind.replace('_', '-')}-rules"):
                rows += _managed(f"/v2.0/qos/{words}/{{rule_id}}", f"alias_{singular}", second)
    return rows


def _tagged(url: str) -> list[Row]:
    reads, writes = (READERS, NOT_THERE_TO_READERS), (WRITERS, NOT_THERE_TO_WRITERS)
    return [
        Row("GET", f"{url}/tags", *reads),
        Row("PUT", f"{url}/tags", *writes, {"tags": ["new"]}),
        Row("POST", f"{url}/tags", *writes, {"tags": ["new"]}),
        Row("DELETE", f"{url}/tags", *writes),
        Row("GET", f"{url}/tags/{{tag}}", *reads),
        Row("PUT", f"{url}/tags/{{tag}}", *writes),
        Row("DELETE", f"{url}/tags/{{tag}}", *writes),
    ]


def _whole(plural: str, singular: str, body: dict[str, Any]) -> list[Row]:
    url = f"/v2.0/{plural}"
    return [
        *_collection(url, singular, body),
        *_member(f"{url}/{{row_id}}", singular),
        *_tagged(f"{url}/{{row_id}}"),
    ]


_SCOPE = "/v2.0/address-scopes/{row_id}"
_ACCESS = "/v2.0/rbac-policies/{row_id}"
_TOPOLOGY = "/v2.0/auto-allocated-topology/{project_id}"
_POOL = "/v2.0/subnetpools/{row_id}"
_ROUTER = "/v2.0/routers/{row_id}"
_FORWARDINGS = "/v2.0/floatingips/{row_id}/port_forwardings"
_FORWARDING = {"protocol": "tcp", "external_port": 81, "internal_port": 81, "internal_port_id": "{ports}"}
_QUOTA = "/v2.0/quotas/{project_id}"
_EXTRA = {"router": {"routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]}}

TABLE: list[Row] = [
    *_whole("networks", "network", {"name": "n"}),
    *_whole("subnets", "subnet", {"network_id": "{networks}", "ip_version": 4, "cidr": "10.7.0.0/24"}),
    *_whole("ports", "port", {"network_id": "{networks}"}),
    *_whole("security-groups", "security_group", {"name": "g"}),
    *_whole("routers", "router", {"name": "r"}),
    *_whole("subnetpools", "subnetpool", {"name": "p", "prefixes": ["10.50.0.0/16"]}),
    *_whole("floatingips", "floatingip", {"floating_network_id": "{outside}"}),
    *_collection(
        "/v2.0/security-group-rules",
        "security_group_rule",
        {"security_group_id": "{security-groups}", "direction": "egress", "protocol": "tcp"},
    ),
    Row("GET", "/v2.0/security-group-rules/{row_id}", READERS, NOT_THERE_TO_READERS),
    Row("PUT", "/v2.0/security-group-rules/{row_id}", NEVER, NEVER, {"security_group_rule": {}}),
    Row("DELETE", "/v2.0/security-group-rules/{row_id}", WRITERS, NOT_THERE_TO_WRITERS),
    *_whole("trunks", "trunk", {"port_id": "{free port}"}),
    Row("GET", "/v2.0/trunks/{row_id}/get_subports", READERS, NOT_THERE_TO_READERS),
    Row(
        "PUT",
        "/v2.0/trunks/{row_id}/add_subports",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"sub_ports": [{"port_id": "{free port}", "segmentation_type": "vlan", "segmentation_id": 6}]},
    ),
    Row(
        "PUT",
        "/v2.0/trunks/{row_id}/remove_subports",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"sub_ports": []},
    ),
    *_qos(),
    # address scopes
    *_collection("/v2.0/address-scopes", "address_scope", {"ip_version": 4}),
    Row("GET", _SCOPE, READERS, NOT_THERE_TO_READERS),
    Row("PUT", _SCOPE, WRITERS, NOT_THERE_TO_WRITERS, {"address_scope": {"name": "another"}}),
    Row("DELETE", _SCOPE, WRITERS, NOT_THERE_TO_WRITERS),
    # policies of access
    *_collection(
        "/v2.0/rbac-policies",
        "rbac_policy",
        {
            "object_type": "network",
            "object_id": "{networks}",
            "action": "access_as_shared",
            "target_tenant": "f" * 32,
        },
    ),
    Row("GET", _ACCESS, READERS, NOT_THERE_TO_READERS),
    Row("PUT", _ACCESS, WRITERS, NOT_THERE_TO_WRITERS, {"rbac_policy": {"target_tenant": "e" * 32}}),
    Row("DELETE", _ACCESS, WRITERS, NOT_THERE_TO_WRITERS),
    # topologies
    Row("GET", _TOPOLOGY, READERS, ADMINS),
    Row("DELETE", _TOPOLOGY, WRITERS, ADMINS),
    # subnet pools
    Row("PUT", f"{_POOL}/add_prefixes", WRITERS, NOT_THERE_TO_WRITERS, {"prefixes": ["10.60.0.0/24"]}),
    Row("PUT", f"{_POOL}/remove_prefixes", WRITERS, NOT_THERE_TO_WRITERS, {"prefixes": ["10.60.0.0/24"]}),
    Row(
        "PUT", f"{_POOL}/onboard_network_subnets", WRITERS, NOT_THERE_TO_WRITERS, {"network_id": "{networks}"}
    ),
    *_collection("/v2.0/address-groups", "address_group", {"addresses": ["192.0.2.0/24"]}),
    *_member("/v2.0/address-groups/{row_id}", "address_group"),
    Row(
        "PUT",
        "/v2.0/address-groups/{row_id}/add_addresses",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"addresses": ["192.0.2.0/24"]},
    ),
    Row(
        "PUT",
        "/v2.0/address-groups/{row_id}/remove_addresses",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"addresses": ["198.51.100.0/24"]},
    ),
    Row("GET", "/v2.0/default-security-group-rules", READERS),
    Row(
        "POST",
        "/v2.0/default-security-group-rules",
        ADMINS,
        body={"default_security_group_rule": {"direction": "egress", "protocol": "tcp"}},
    ),
    Row("GET", "/v2.0/default-security-group-rules/{row_id}", READERS),
    Row(
        "PUT",
        "/v2.0/default-security-group-rules/{row_id}",
        NEVER,
        body={"default_security_group_rule": {}},
    ),
    Row("DELETE", "/v2.0/default-security-group-rules/{row_id}", ADMINS),
    # routers
    Row(
        "PUT",
        f"{_ROUTER}/add_router_interface",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"subnet_id": "{free subnet}"},
    ),
    Row(
        "PUT",
        f"{_ROUTER}/remove_router_interface",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"subnet_id": "{subnets}"},
    ),
    Row("PUT", f"{_ROUTER}/add_extraroutes", WRITERS, NOT_THERE_TO_WRITERS, _EXTRA),
    Row("PUT", f"{_ROUTER}/remove_extraroutes", WRITERS, NOT_THERE_TO_WRITERS, _EXTRA),
    Row("GET", f"{_ROUTER}/l3-agents", ADMINS, ADMINS),
    # port forwardings of a floating IP
    Row("GET", _FORWARDINGS, READERS, NOT_THERE_TO_READERS),
    Row("POST", _FORWARDINGS, WRITERS, NOT_THERE_TO_WRITERS, {"port_forwarding": _FORWARDING}),
    Row("GET", f"{_FORWARDINGS}/{{forwarding_id}}", READERS, NOT_THERE_TO_READERS),
    Row(
        "PUT",
        f"{_FORWARDINGS}/{{forwarding_id}}",
        WRITERS,
        NOT_THERE_TO_WRITERS,
        {"port_forwarding": {"description": "another"}},
    ),
    Row("DELETE", f"{_FORWARDINGS}/{{forwarding_id}}", WRITERS, NOT_THERE_TO_WRITERS),
    # limits
    Row("GET", "/v2.0/quotas", ADMINS),
    Row("GET", _QUOTA, READERS, ADMINS),
    Row("PUT", _QUOTA, ADMINS, ADMINS, {"quota": {"network": 5}}),
    Row("DELETE", _QUOTA, ADMINS, ADMINS),
    Row("GET", f"{_QUOTA}/default", READERS, ADMINS),
    Row("GET", f"{_QUOTA}/details", READERS, ADMINS),
    Row("GET", f"{_QUOTA}/details.json", READERS, ADMINS),
    # hosts
    Row("GET", "/v2.0/agents", READERS),
    Row("GET", "/v2.0/agents/{agent_id}", ADMINS),
    Row("PUT", "/v2.0/agents/{agent_id}", ADMINS, body={"agent": {"admin_state_up": True}}),
    Row("DELETE", "/v2.0/agents/{agent_id}", ADMINS),
    Row("GET", "/v2.0/agents/{agent_id}/l3-routers", ADMINS),
    Row("POST", "/v2.0/agents/{agent_id}/l3-routers", ADMINS, body={"router_id": "{routers}"}),
    Row("DELETE", "/v2.0/agents/{agent_id}/l3-routers/{row_id}", ADMINS, ADMINS),
    Row("GET", "/v2.0/agents/{agent_id}/dhcp-networks", ADMINS),
    Row("POST", "/v2.0/agents/{agent_id}/dhcp-networks", ADMINS, body={"network_id": "{networks}"}),
    Row("DELETE", "/v2.0/agents/{agent_id}/dhcp-networks/{row_id}", ADMINS, ADMINS),
    Row("GET", "/v2.0/networks/{row_id}/dhcp-agents", ADMINS, ADMINS),
    # for finding out
    Row("GET", "/v2.0/availability_zones", READERS),
    Row("GET", "/v2.0/service-providers", READERS),
    Row("GET", "/v2.0/network-ip-availabilities", ADMINS),
    Row("GET", "/v2.0/network-ip-availabilities/{network_id}", ADMINS, ADMINS),
    Row("GET", "/v2.0/extensions", READERS),
    Row("GET", "/v2.0/extensions/{alias}", READERS),
    Row("GET", "/v2.0", READERS),
]
