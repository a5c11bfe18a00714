"""Address scopes: within one every address is one place, and is routed as it is."""
