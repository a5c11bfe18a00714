"""Block storage (the v3 API): volumes, their types, and their attachments to servers."""
