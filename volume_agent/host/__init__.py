"""The edges: one outside program a file, arguments in, parsed values and typed errors out, no decisions."""
