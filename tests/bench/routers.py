"""Routers on a pretended host: throughput, a floating IP that moves, the agent's restart with 20 of them."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.cloud import Cloud
from tests.bench.result import Result

_BENCH = pathlib.Path(__file__).parents[1] / "system/ovs_agent/bench_routers.py"


def measure(_cloud: Cloud) -> Iterator[Result]:
    """The agent alone, with a switch of its own."""
    command = [sys.executable, str(_BENCH)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Result(**json.loads(line))
    if process.returncode:
        raise RuntimeError(f"{_BENCH.name} ended with status {process.returncode}")
