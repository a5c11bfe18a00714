"""Floating IPs: addresses of external networks that stand for ports behind routers."""
