"""What runs beside the API: outbox, reports from agents, sync, upkeep."""
