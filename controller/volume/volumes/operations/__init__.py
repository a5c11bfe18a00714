"""The transitions of a volume, each a short list of steps."""
