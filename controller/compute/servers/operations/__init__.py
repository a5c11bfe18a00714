"""Transitions of servers, each a short list of steps with their undo."""
