"""Application credentials: a program's own secret, for one project and some of a user's roles."""
