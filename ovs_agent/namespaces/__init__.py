"""Pure compilers from documents to what a network's namespace holds."""
