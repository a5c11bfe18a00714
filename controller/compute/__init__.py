"""Compute (nova): flavors, keypairs, servers and what is done with them."""
