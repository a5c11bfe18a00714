"""Tokens: issuing, validating and revoking them."""
