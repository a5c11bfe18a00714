"""Policies of access: by them a project lets others see and use what it owns."""
