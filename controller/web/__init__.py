"""REST once for all services. Knows no resource: what it needs of them ``main`` hands in."""
