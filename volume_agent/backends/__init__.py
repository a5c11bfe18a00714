"""Where volumes are kept: a backend is chosen by the option ``volume_driver``."""
