"""The agents' engine: a ledger of desired documents, one queue a key, reports, sync with the controller."""
