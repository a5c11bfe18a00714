"""Users: who may ask for tokens."""
