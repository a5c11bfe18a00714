"""Role assignments: who has which role where."""
