"""The controller: REST services, engine and their database. Knows agents only through the contract."""
