"""The message bus inside of one process, where there is no broker."""
