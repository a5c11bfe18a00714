"""Who may do what with the network service."""

from controller.web.policy import ADMIN, MANAGER, MEMBER, READER, rule

_VERBS = (
    ("list", READER),
    ("show", READER),
    ("create", MEMBER),
    ("update", MEMBER),
    ("delete", MEMBER),
)

RULES = [
    *(rule(f"network:network:{verb}", check, f"{verb} networks") for verb, check in _VERBS),
    rule("network:network:provider", ADMIN, "see and give how a network is carried"),
    rule("network:network:carrier", ADMIN, "see which hosts answer DHCP of a network"),
    rule("network:network:schedule", ADMIN, "have hosts answer DHCP of a network, or not"),
    rule("network:network:share", ADMIN, "share a network, or make it external"),
    *(rule(f"network:subnet:{verb}", check, f"{verb} subnets") for verb, check in _VERBS),
    *(rule(f"network:port:{verb}", check, f"{verb} ports") for verb, check in _VERBS),
    rule("network:port:binding", ADMIN, "see and give the host of a port"),
    *(rule(f"network:security_group:{verb}", check, f"{verb} security groups") for verb, check in _VERBS),
    *(rule(f"network:security_group_rule:{verb}", check, f"{verb} rules") for verb, check in _VERBS),
    *(rule(f"network:address_group:{verb}", check, f"{verb} address groups") for verb, check in _VERBS),
    rule("network:default_security_group_rule:list", READER, "list what new security groups begin with"),
    rule("network:default_security_group_rule:show", READER, "show what new security groups begin with"),
    rule("network:default_security_group_rule:create", ADMIN, "have new security groups begin with a rule"),
    rule(
        "network:default_security_group_rule:delete", ADMIN, "have new security groups begin without a rule"
    ),
    rule("network:service_provider:list", READER, "list how routers are carried"),
    *(rule(f"network:router:{verb}", check, f"{verb} routers") for verb, check in _VERBS),
    rule("network:router:interface", MEMBER, "join routers to subnets, and take them off"),
    rule("network:router:snat", ADMIN, "give a router a gateway without SNAT"),
    rule("network:router:external_fixed_ips", ADMIN, "choose the addresses of gateways"),
    rule("network:router:schedule", ADMIN, "give routers to hosts, and take them away"),
    rule("network:router:carrier", ADMIN, "see how a router is carried"),
    *(rule(f"network:floatingip:{verb}", check, f"{verb} floating IPs") for verb, check in _VERBS),
    rule("network:floatingip:address", MANAGER, "choose the address of a floating IP"),
    *(rule(f"network:port_forwarding:{verb}", check, f"{verb} port forwardings") for verb, check in _VERBS),
    *(rule(f"network:subnet_pool:{verb}", check, f"{verb} subnet pools") for verb, check in _VERBS),
    rule("network:subnet_pool:share", ADMIN, "share a subnet pool, or make it the default"),
    *(rule(f"network:address_scope:{verb}", check, f"{verb} address scopes") for verb, check in _VERBS),
    rule("network:address_scope:share", ADMIN, "share an address scope"),
    *(rule(f"network:rbac_policy:{verb}", check, f"{verb} policies of access") for verb, check in _VERBS),
    rule("network:rbac_policy:wildcard", ADMIN, "open a resource to every project"),
    *(
        rule(f"network:{kind}:{verb}", READER if verb in ("list", "show") else MANAGER, f"{verb} QoS {words}")
        for kind, words in (("qos_policy", "policies"), ("qos_rule", "rules"))
        for verb, _check in _VERBS
    ),
    *(rule(f"network:trunk:{verb}", check, f"{verb} trunks") for verb, check in _VERBS),
    rule("network:trunk:subports", MEMBER, "take ports into trunks, and out"),
    rule("network:qos_rule_type:list", READER, "list kinds of QoS rules"),
    rule("network:qos_rule_type:show", ADMIN, "see what a kind of QoS rules takes"),
    rule("network:auto_allocated_topology:show", READER, "have the topology of one's project made and shown"),
    rule("network:auto_allocated_topology:delete", MEMBER, "delete the topology of one's project"),
    rule("network:tag:show", READER, "see tags"),
    rule("network:tag:update", MEMBER, "change tags"),
    rule("network:quota:list", ADMIN, "list projects with limits of their own"),
    rule("network:quota:show", READER, "see the limits of one's project"),
    rule("network:quota:show_any", ADMIN, "see the limits of any project"),
    rule("network:quota:update", ADMIN, "change limits"),
    rule("network:agent:list", READER, "list those agents that one may see"),
    rule("network:agent:show", ADMIN, "show an agent"),
    rule("network:agent:update", ADMIN, "switch an agent off and on"),
    rule("network:agent:delete", ADMIN, "forget an agent"),
    rule("network:ip_availability:list", ADMIN, "count addresses of networks"),
    rule("network:availability_zone:list", READER, "list availability zones"),
    rule("network:extension:list", READER, "list extensions"),
    rule("network:version:show", READER, "list the resources of the API"),
]
