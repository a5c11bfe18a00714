"""Trunks: a parent port whose tagged frames are those of other ports, its subports."""
