"""How volumes are shown to initiators."""
