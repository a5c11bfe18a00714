"""Subnet pools: prefixes that subnets are cut from, so that none is given twice."""
