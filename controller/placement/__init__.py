"""Placement: what each host has of each resource, and who uses it.

Compute claims and releases through ``allocations``; the engine keeps hosts' inventories through
``providers.ensure``; the REST API beside them is the original's.
"""
