"""Names of the topics on the bus, and which agent takes which kind of document."""

ENGINE = "engine"

NOVA_COMPUTE = "nova-compute"
OVS_AGENT = "ovs-agent"
VOLUME_AGENT = "volume-agent"

AGENT_OF_KIND = {
    "server": NOVA_COMPUTE,
    "port": OVS_AGENT,
    "network": OVS_AGENT,
    "segment": OVS_AGENT,
    "security_group": OVS_AGENT,
    "address_group": OVS_AGENT,
    "router": OVS_AGENT,
    "instance_data": OVS_AGENT,
    "volume": VOLUME_AGENT,
    "export": VOLUME_AGENT,
}
