"""Pure compilers: contract documents to libvirt's XML, without I/O, clock or options read inside."""
