"""Prometheus metrics of a process, on their own port when ``metrics_port`` is set."""

import prometheus_client
from oslo_config import cfg


def serve(conf: cfg.ConfigOpts) -> None:
    """Starts the small server for ``/metrics``, if one is wanted."""
    if conf.metrics_port:
        prometheus_client.start_http_server(conf.metrics_port, addr=str(conf.my_ip))
