"""Identity (Keystone v3): who is there, what they may, and where the services are."""
