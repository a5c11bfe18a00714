"""From a tap's appearing to its flows, with 200 ports in one group on a pretended host."""

import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.cloud import Cloud
from tests.bench.result import Result

_BAR_MS = 50.0
_BENCH = pathlib.Path(__file__).parents[1] / "system/ovs_agent/bench_wiring.py"
_LINE = re.compile(r"(.+): p50 ([\d.]+) ms, (worst .+)")


def measure(_cloud: Cloud) -> Iterator[Result]:
    """The agent alone, with a switch of its own."""
    told = subprocess.run([sys.executable, str(_BENCH)], capture_output=True, text=True, check=True).stdout
    for what, figure, rest in _LINE.findall(told):
        bar = _BAR_MS if what.startswith("tap") else None
        yield Result(f"{what}, 200 ports, p50", float(figure), "ms", bar, rest)
