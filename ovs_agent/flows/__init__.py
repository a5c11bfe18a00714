"""Pure compilers from documents to OpenFlow: no I/O, no clock, no options read inside."""
