"""Every URL of the network service."""

from controller.network import (
    agents,
    availability_zones,
    discovery,
    extensions,
    ip_availabilities,
    quotas,
    service_providers,
)
from controller.network.address_groups.api import (
    AddressGroupAdd,
    AddressGroupMember,
    AddressGroupRemove,
    AddressGroups,
)
from controller.network.address_scopes.api import AddressScopeMember, AddressScopes
from controller.network.auto_topology.api import AutoAllocatedTopology
from controller.network.floating_ips.api import FloatingIpMember, FloatingIps
from controller.network.networks.api import NetworkMember, Networks
from controller.network.networks.dhcp_agents_api import AgentNetwork, AgentNetworks, NetworkAgents
from controller.network.port_forwardings.api import PortForwardingMember, PortForwardings
from controller.network.ports.api import PortMember, Ports
from controller.network.qos import api as qos
from controller.network.qos.rule_types import RuleType, RuleTypes
from controller.network.rbac.api import RbacPolicies, RbacPolicyMember
from controller.network.routers.agents_api import AgentRouter, AgentRouters, RouterAgents
from controller.network.routers.api import (
    RouterAddInterface,
    RouterAddRoutes,
    RouterMember,
    RouterRemoveInterface,
    RouterRemoveRoutes,
    Routers,
)
from controller.network.security_groups.api import (
    SecurityGroupMember,
    SecurityGroupRuleMember,
    SecurityGroupRules,
    SecurityGroups,
)
from controller.network.security_groups.default_rules.api import DefaultRuleMember, DefaultRules
from controller.network.subnet_pools.api import (
    SubnetPoolAddPrefixes,
    SubnetPoolMember,
    SubnetPoolOnboard,
    SubnetPoolRemovePrefixes,
    SubnetPools,
)
from controller.network.subnets.api import SubnetMember, Subnets
from controller.network.tags import api as tags
from controller.network.trunks import api as trunks
from controller.web.app import Service
from controller.web.errors import ApiError, Envelope, neutron_envelope
from controller.web.resource import Route

ROUTES: list[Route] = [
    ("/v2.0/networks", Networks),
    ("/v2.0/networks/{row_id}", NetworkMember),
    ("/v2.0/subnets", Subnets),
    ("/v2.0/subnets/{row_id}", SubnetMember),
    ("/v2.0/ports", Ports),
    ("/v2.0/ports/{row_id}", PortMember),
    ("/v2.0/security-groups", SecurityGroups),
    ("/v2.0/security-groups/{row_id}", SecurityGroupMember),
    ("/v2.0/security-group-rules", SecurityGroupRules),
    ("/v2.0/security-group-rules/{row_id}", SecurityGroupRuleMember),
    ("/v2.0/address-groups", AddressGroups),
    ("/v2.0/address-groups/{row_id}", AddressGroupMember),
    ("/v2.0/address-groups/{row_id}/add_addresses", AddressGroupAdd),
    ("/v2.0/address-groups/{row_id}/remove_addresses", AddressGroupRemove),
    ("/v2.0/default-security-group-rules", DefaultRules),
    ("/v2.0/default-security-group-rules/{row_id}", DefaultRuleMember),
    ("/v2.0/routers", Routers),
    ("/v2.0/routers/{row_id}", RouterMember),
    ("/v2.0/routers/{row_id}/add_router_interface", RouterAddInterface),
    ("/v2.0/routers/{row_id}/remove_router_interface", RouterRemoveInterface),
    ("/v2.0/routers/{row_id}/add_extraroutes", RouterAddRoutes),
    ("/v2.0/routers/{row_id}/remove_extraroutes", RouterRemoveRoutes),
    ("/v2.0/floatingips", FloatingIps),
    ("/v2.0/floatingips/{row_id}", FloatingIpMember),
    ("/v2.0/floatingips/{row_id}/port_forwardings", PortForwardings),
    ("/v2.0/floatingips/{row_id}/port_forwardings/{forwarding_id}", PortForwardingMember),
    ("/v2.0/subnetpools", SubnetPools),
    ("/v2.0/subnetpools/{row_id}", SubnetPoolMember),
    ("/v2.0/subnetpools/{row_id}/add_prefixes", SubnetPoolAddPrefixes),
    ("/v2.0/subnetpools/{row_id}/remove_prefixes", SubnetPoolRemovePrefixes),
    ("/v2.0/subnetpools/{row_id}/onboard_network_subnets", SubnetPoolOnboard),
    ("/v2.0/trunks", trunks.Trunks),
    ("/v2.0/trunks/{row_id}", trunks.TrunkMember),
    ("/v2.0/trunks/{row_id}/get_subports", trunks.TrunkSubPorts),
    ("/v2.0/trunks/{row_id}/add_subports", trunks.TrunkAddSubPorts),
    ("/v2.0/trunks/{row_id}/remove_subports", trunks.TrunkRemoveSubPorts),
    ("/v2.0/qos/policies", qos.Policies),
    ("/v2.0/qos/policies/{row_id}", qos.PolicyMember),
    ("/v2.0/qos/policies/{row_id}/bandwidth_limit_rules", qos.BandwidthLimitRules),
    ("/v2.0/qos/policies/{row_id}/bandwidth_limit_rules/{rule_id}", qos.BandwidthLimitRule),
    ("/v2.0/qos/policies/{row_id}/dscp_marking_rules", qos.DscpMarkingRules),
    ("/v2.0/qos/policies/{row_id}/dscp_marking_rules/{rule_id}", qos.DscpMarkingRule),
    ("/v2.0/qos/policies/{row_id}/packet_rate_limit_rules", qos.PacketRateLimitRules),
    ("/v2.0/qos/policies/{row_id}/packet_rate_limit_rules/{rule_id}", qos.PacketRateLimitRule),
    ("/v2.0/qos/alias_bandwidth_limit_rules/{rule_id}", qos.BandwidthLimitRule),
    ("/v2.0/qos/alias-bandwidth-limit-rules/{rule_id}", qos.BandwidthLimitRule),
    ("/v2.0/qos/alias_dscp_marking_rules/{rule_id}", qos.DscpMarkingRule),
    ("/v2.0/qos/alias-dscp-marking-rules/{rule_id}", qos.DscpMarkingRule),
    ("/v2.0/qos/rule-types", RuleTypes),
    ("/v2.0/qos/rule-types/{name}", RuleType),
    ("/v2.0/address-scopes", AddressScopes),
    ("/v2.0/address-scopes/{row_id}", AddressScopeMember),
    ("/v2.0/rbac-policies", RbacPolicies),
    ("/v2.0/rbac-policies/{row_id}", RbacPolicyMember),
    ("/v2.0/auto-allocated-topology/{project_id}", AutoAllocatedTopology),
    ("/v2.0/networks/{row_id}/tags", tags.NetworkTags),
    ("/v2.0/networks/{row_id}/tags/{tag}", tags.NetworkTag),
    ("/v2.0/subnets/{row_id}/tags", tags.SubnetTags),
    ("/v2.0/subnets/{row_id}/tags/{tag}", tags.SubnetTag),
    ("/v2.0/ports/{row_id}/tags", tags.PortTags),
    ("/v2.0/ports/{row_id}/tags/{tag}", tags.PortTag),
    ("/v2.0/security-groups/{row_id}/tags", tags.SecurityGroupTags),
    ("/v2.0/security-groups/{row_id}/tags/{tag}", tags.SecurityGroupTag),
    ("/v2.0/routers/{row_id}/tags", tags.RouterTags),
    ("/v2.0/routers/{row_id}/tags/{tag}", tags.RouterTag),
    ("/v2.0/floatingips/{row_id}/tags", tags.FloatingIpTags),
    ("/v2.0/floatingips/{row_id}/tags/{tag}", tags.FloatingIpTag),
    ("/v2.0/subnetpools/{row_id}/tags", tags.SubnetPoolTags),
    ("/v2.0/subnetpools/{row_id}/tags/{tag}", tags.SubnetPoolTag),
    ("/v2.0/trunks/{row_id}/tags", tags.TrunkTags),
    ("/v2.0/trunks/{row_id}/tags/{tag}", tags.TrunkTag),
    ("/v2.0/qos/policies/{row_id}/tags", tags.QosPolicyTags),
    ("/v2.0/qos/policies/{row_id}/tags/{tag}", tags.QosPolicyTag),
    # for operators and for finding out
    ("/v2.0/quotas", quotas.Quotas),
    ("/v2.0/quotas/{project_id}", quotas.Quota),
    ("/v2.0/quotas/{project_id}/default", quotas.QuotaDefault),
    ("/v2.0/quotas/{project_id}/details", quotas.QuotaDetails),
    ("/v2.0/quotas/{project_id}/details.json", quotas.QuotaDetails),
    ("/v2.0/agents", agents.Agents),
    ("/v2.0/agents/{agent_id}", agents.AgentMember),
    ("/v2.0/agents/{agent_id}/l3-routers", AgentRouters),
    ("/v2.0/agents/{agent_id}/l3-routers/{row_id}", AgentRouter),
    ("/v2.0/routers/{row_id}/l3-agents", RouterAgents),
    ("/v2.0/agents/{agent_id}/dhcp-networks", AgentNetworks),
    ("/v2.0/agents/{agent_id}/dhcp-networks/{row_id}", AgentNetwork),
    ("/v2.0/networks/{row_id}/dhcp-agents", NetworkAgents),
    ("/v2.0/service-providers", service_providers.ServiceProviders),
    ("/v2.0/availability_zones", availability_zones.AvailabilityZones),
    ("/v2.0/network-ip-availabilities", ip_availabilities.IpAvailabilities),
    ("/v2.0/network-ip-availabilities/{network_id}", ip_availabilities.IpAvailability),
    ("/v2.0/extensions", extensions.Extensions),
    ("/v2.0/extensions/{alias}", extensions.Extension),
    ("/v2.0", discovery.Resources),
    ("/", discovery.Versions),
]

#: Names that neutron gives to errors that have no name of their own.
_KINDS = {400: "HTTPBadRequest", 403: "PolicyNotAuthorized", 404: "HTTPNotFound", 405: "HTTPMethodNotAllowed"}


def envelope(error: ApiError) -> Envelope:
    """``{"NeutronError": …}`` with neutron's type names."""
    found = neutron_envelope(error)
    found["NeutronError"]["type"] = error.kind or _KINDS.get(error.status, type(error).__name__)
    return found


SERVICE = Service(
    name="network",
    prefix="/network",
    routes=ROUTES,
    envelope=envelope,
    public=frozenset({"", "/"}),
)
