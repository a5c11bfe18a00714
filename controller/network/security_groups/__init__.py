"""Security groups: rules that say which packets reach and leave the ports of a group."""
