"""``make down``: takes away everything that ``make up`` and the cloud's users brought about on this machine.

Guests and networks are taken down first, while the daemons that know them still run.
"""

import shutil

from lab.up import files, hypervisor, outside, places, profile, supervisor, switch, targets
from lab.up.step import Step

#: What a later ``up`` still needs to know of the memory of this one.
_LASTING = ("broker_ports", "schema", "profile")


def steps(purge: bool) -> list[Step]:
    """What is taken away, in order."""
    result = [
        Step("services", _services),
        Step("guests", lambda: f"{hypervisor.remove_domains()} domains", ("services",)),
        Step("volumes", lambda: f"{targets.remove_targets()} targets", ("guests",)),
        Step("networks", _networks, ("guests",)),
        Step("daemons", _daemons, ("volumes", "networks")),
    ]
    return [*result, Step("purge", _purge, ("daemons",))] if purge else result


def _services() -> str:
    supervisor.stop_programs(profile.every_program())
    # those of a supervisord that was killed would make again what is taken away next
    supervisor.end_orphans(profile.every_program())
    return "stopped"


def _networks() -> str:
    memory = files.remembered()
    namespaces = switch.remove_namespaces(memory.get("keep_namespaces", []))
    outside.remove()
    bridges = switch.remove_bridges(memory.get("keep_bridges", []))
    return f"{namespaces} namespaces, {bridges} bridges"


def _daemons() -> str:
    supervisor.shut_down()
    memory = files.remembered()
    own = memory.get("own", [])
    hypervisor.restore_kvm(memory.get("kvm"))
    hypervisor.clean_up("libvirt" in own)
    if "switch" in own:
        switch.clean_up()
    if "targets" in own:
        targets.clean_up()
    shutil.rmtree(places.RUN, ignore_errors=True)
    files.forget_all_but(_LASTING)
    return "ended"


def _purge() -> str:
    paths = (places.CONFIG, places.STATE, places.LOG)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
    return f"{', '.join(map(str, paths))} removed"
