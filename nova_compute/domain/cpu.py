"""CPU, clock and features of a domain."""

from nova_compute.domain.element import Element, element
from nova_compute.domain.machine import Machine


def cpu(machine: Machine, vcpus: int) -> Element | None:
    """The ``<cpu>`` element. Under qemu the default leaves it to QEMU, as nova does."""
    mode = machine.cpu_mode
    if mode == "auto":
        mode = "host-model" if machine.virt_type == "kvm" else "none"
    if mode == "none":
        return None
    model = element("model", text=machine.cpu_model, fallback="allow") if mode == "custom" else None
    topology = element("topology", sockets=vcpus, cores=1, threads=1)
    return element("cpu", model, topology, mode=mode, match="exact")


def features(machine: Machine) -> Element:
    """ACPI for orderly shutdown; under qemu a small translation cache, or it grows to 400 MiB a guest."""
    cache = None
    if machine.virt_type == "qemu" and machine.tcg_cache_mib:
        cache = element("tcg", element("tb-cache", text=machine.tcg_cache_mib, unit="MiB"))
    return element("features", element("acpi"), element("apic"), cache)


def clock() -> Element:
    """UTC, with timers that catch up as nova sets them for x86 guests."""
    return element(
        "clock",
        element("timer", name="pit", tickpolicy="delay"),
        element("timer", name="rtc", tickpolicy="catchup"),
        element("timer", name="hpet", present="no"),
        offset="utc",
    )
