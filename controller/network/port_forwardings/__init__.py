"""Port forwardings: some ports of a floating IP lead to ports of an inner address, others to others."""
