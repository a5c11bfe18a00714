"""One storage host's volumes and exports: keeps both as the controller's documents say."""
