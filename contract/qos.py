"""Limits of traffic, as the documents of ports and routers have them."""

from typing import Literal

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """No more than ``rate`` a second in the long run, and ``burst`` beyond it at once.

    ``egress`` is what a guest sends; ``kbps`` are 1000 bits.
    """

    direction: Literal["egress", "ingress"]
    unit: Literal["kbps", "pktps"]
    rate: int
    burst: int
