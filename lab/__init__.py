"""Hosts, guests and helpers to try the product on one machine."""
