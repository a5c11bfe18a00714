"""Edges: one outside program or library a file; arguments in, parsed values and typed errors out."""
