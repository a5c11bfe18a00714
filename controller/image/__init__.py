"""The image service: Glance's API v2, its files on the controller's disk, and their bytes for agents."""
