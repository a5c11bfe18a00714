"""Ports: a MAC with addresses on a network, and the server or device that it belongs to."""
