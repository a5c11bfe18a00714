"""Networks: what ports are on, and how their frames are carried between hosts."""
