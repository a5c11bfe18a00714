"""Routers: a namespace of one host between networks, and the way outside."""
