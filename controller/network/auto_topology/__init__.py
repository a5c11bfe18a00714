"""A project's network that is made for it whole, with its way outside, when it is first asked for."""
