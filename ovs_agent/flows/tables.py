"""The map of the flow tables: names, registers, and the way of a packet. The reasons are in
docs/decisions/0003-flow-pipeline.md.

::

    br-int
    in_port ─► CLASSIFY ─guest──► SOURCE ─► SOURCE_ND ──────────────┐  (ND whose content is the guest's own)
                  │                 │ ├─arp─────────────────► ARP ──┤  (answered here for known remote ports)
                  │                 │ └─dhcp─────────────────────── ┤
                  │                 └─ip─► EGRESS ─ct─► EGRESS_STATE ┤
                  │                           └─ GROUPS ─► VERDICT ──┤
                  ├─service port ───────────────────────────────────┤
                  ├─patch to a physical network (its VLAN) ─────────┤
                  └─patch to br-tun ────────────────────────────────┴─► FORWARD by (network, dl_dst)
                                                                          │
        service port ◄─ SERVICE ◄─────────────────────────────────────────┤
        guest ◄─ OUTPUT ◄─ INGRESS ─► INGRESS_BASIC ─ct─► STATE ─► … ◄────┤
        br-tun, physical network ◄─ UPLINK (only what a guest of this host sent) ◄──┘

    br-tun
    patch ─► CLASSIFY ─► OUT by (network, dl_dst) ─► vxlan
    vxlan ─► CLASSIFY ─► IN by (tun_id, tun_src) ─► patch

    subports (trunk.py)
    in_port, tag ─► CLASSIFY, untagged from here …   … OUTPUT ─tagged─► the parent's tap

    limits of a port (limits.py), where it has any
    CLASSIFY ─► EGRESS_MARK ─► EGRESS_KBPS ─► EGRESS_PKTPS ─► SOURCE or ARP
    OUTPUT ─► OUTPUT_KBPS ─► OUTPUT_PKTPS ─► guest

    groups, in both directions
    GROUPS (port)  : its groups one after the other   xxreg1 = group
    GROUP  (group) : its rules without remote group, then for each remote group xxreg2 = remote group
    REMOTE (remote): a member's address leads on
    RULES  (group, remote): protocol, ports, prefix ─► reg3 = 1
"""

CLASSIFY = 0
EGRESS_MARK = 1
EGRESS_KBPS = 2
EGRESS_PKTPS = 3
SOURCE = 5
SOURCE_ND = 6
EGRESS = 10
EGRESS_STATE = 11
EGRESS_GROUPS = 12
EGRESS_GROUP = 13
EGRESS_REMOTE = 14
EGRESS_RULES = 15
EGRESS_VERDICT = 16
ARP = 20
FORWARD = 30
UPLINK = 35
SERVICE = 40
INGRESS = 50
INGRESS_BASIC = 51
INGRESS_STATE = 52
INGRESS_GROUPS = 53
INGRESS_GROUP = 54
INGRESS_REMOTE = 55
INGRESS_RULES = 56
INGRESS_VERDICT = 57
OUTPUT = 60
OUTPUT_KBPS = 61
OUTPUT_PKTPS = 62
EPOCH = 250
_INTEGRATION = {number: name for name, number in list(globals().items()) if isinstance(number, int)}

TUNNEL_OUT = 10
TUNNEL_IN = 20
#: Names of the tables of both bridges, for those who look at flows.
NAMES = {"br-int": _INTEGRATION, "br-tun": {CLASSIFY: "CLASSIFY", TUNNEL_OUT: "OUT", TUNNEL_IN: "IN"}}

#: Local number of the packet's network. Crosses the patch port in pkt_mark, as registers do not.
NETWORK = "reg0"
#: OpenFlow port that the packet came from (0 for the tunnel), and that it goes to, or the number of a subport; both
#: are conntrack zones.
FROM = "reg1"
TO = "reg2"
#: 1 once a rule allowed the packet.
ALLOWED = "reg3"
#: The group, and its remote group, whose rules are being tried: whole UUIDs.
GROUP = "xxreg1"
REMOTE = "xxreg2"
#: Where the packet came from: one of the four below.
ORIGIN = "reg12"
#: 1 while the port being judged has stateless groups.
STATELESS = "reg13"

GUEST, FROM_SERVICE, FROM_TUNNEL, FROM_PROVIDER = 1, 2, 3, 4

FROM_WHOLE, TO_WHOLE = "NXM_NX_REG1[]", "NXM_NX_REG2[]"
FROM_ZONE = "NXM_NX_REG1[0..15]"
TO_ZONE = "NXM_NX_REG2[0..15]"
