"""Attachments: who a volume is shown to, and how it is reached."""
