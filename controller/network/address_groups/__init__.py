"""Address groups: prefixes that rules of security groups name as one."""
