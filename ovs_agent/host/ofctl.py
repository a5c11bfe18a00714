"""ovs-ofctl: atomic bundles of flow changes, whole tables at start, meters, conntrack zones; traces by ovs-appctl."""

import re
import subprocess
from collections.abc import Iterable

from ovs_agent.flows.flow import Meter

_TIMEOUT_S = 30
_METER = re.compile(r"meter=(\d+) (\w+) burst (?:stats )?bands=\s*type=drop rate=(\d+) burst_size=(\d+)")


class SwitchError(Exception):
    """The switch did not take it, or is not there; the message is ovs-ofctl's own."""


def bundle(bridge: str, lines: Iterable[str]) -> None:
    """Applies lines such as ``flow add …`` and ``flow delete_strict …`` all at once or not at all."""
    _run(["bundle", bridge, "-"], "\n".join(lines) + "\n")


def replace(bridge: str, lines: Iterable[str]) -> None:
    """Makes the flows of a bridge these, in one bundle; flows that are there already are not touched."""
    _run(["--bundle", "replace-flows", bridge, "-"], "\n".join(lines) + "\n")


def dump(bridge: str, cookie: int) -> str:
    """The flows with a cookie, as ovs-ofctl prints them."""
    return _run(["dump-flows", bridge, f"cookie={cookie:#x}/-1"])


def meters(bridge: str) -> list[Meter]:
    """Every meter."""
    found = _METER.findall(_run(["dump-meters", bridge]))
    return [Meter(int(number), unit, int(rate), int(burst)) for number, unit, rate, burst in found]


def set_meter(bridge: str, meter: Meter) -> None:
    """Makes a meter, or changes the one of its number; flows that use it go on."""
    try:
        _run(["add-meter", bridge, meter.text])
    except SwitchError as error:
        if "METER_EXISTS" not in str(error):
            raise
        _run(["mod-meter", bridge, meter.text])


def delete_meter(bridge: str, number: int) -> None:
    """Removes a meter, with all flows that use it; safe to repeat."""
    _run(["del-meter", bridge, f"meter={number}"])


def flush_zone(bridge: str, zone: int) -> None:
    """Forgets all connections of a conntrack zone."""
    _run(["ct-flush-zone", bridge, str(zone)])


def trace(bridge: str, packet: str) -> str:
    """The way of a packet, given as a match, through the flows of a bridge and those that it is patched to."""
    return _checked("ofproto/trace", ["ovs-appctl", "ofproto/trace", bridge, packet])


def _run(arguments: list[str], text: str = "") -> str:
    # without --no-names it asks the switch for all its ports first: 45 ms instead of 15 with 200 of them
    return _checked(
        f"ovs-ofctl {arguments[0]}", ["ovs-ofctl", "--no-names", "-O", "OpenFlow14", *arguments], text
    )


def _checked(told: str, command: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SwitchError(f"{told}: {error}") from error
    if done.returncode != 0:
        raise SwitchError(f"{told}: {done.stderr.strip()[:2000]}")
    return done.stdout
