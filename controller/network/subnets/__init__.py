"""Subnets: the addresses of a network, and what DHCP tells with them."""
