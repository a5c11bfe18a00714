"""Servers: rows, API, verbs, and the operations that bring a wish to a host."""
