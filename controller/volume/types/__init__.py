"""Volume types: what may be asked of a volume's storage."""
