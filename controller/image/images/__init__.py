"""Images: rows, files, and everything that is done with them."""
