"""Which datapath ovs-vswitchd can really make here: the kernel's if it can, else its own in userspace."""

import logging
import pathlib
from collections.abc import Callable

LOG = logging.getLogger(__name__)

_SCRATCH = "cumulet-probe"
_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")


def choose(option: str, can_make: Callable[[str, str], bool], cache: pathlib.Path) -> str:
    """``system`` or ``netdev``. For ``auto`` a scratch bridge is tried once a boot and the finding kept in
    ``cache``: a loaded module or a listed datapath type says nothing about whether it works."""
    if option != "auto":
        return option
    boot = _BOOT_ID.read_text().strip()
    if cache.exists():
        words = cache.read_text().split()
        if len(words) == 2 and words[0] == boot and words[1] in ("system", "netdev"):
            return words[1]
    found = "system" if can_make(_SCRATCH, "system") else "netdev"
    LOG.info("Open vSwitch's datapath here is %s", found)
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(f"{boot} {found}\n")
    return found
