"""Volumes: one block device of a storage host each."""
