"""One host's networks: Open vSwitch flows, DHCP and metadata, made from documents."""
