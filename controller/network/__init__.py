"""Neutron v2.0: networks, subnets, ports, security groups, and what hosts are told of them."""
