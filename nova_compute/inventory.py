"""What this host is and has: told at every heartbeat."""

import importlib.metadata
import json
import os
import pathlib
import platform

from oslo_config import cfg

from contract.report import Capabilities, Inventory
from nova_compute.domain.machine import Machine
from nova_compute.host.libvirt import Hypervisor, HypervisorError

_GIB, _MIB = 1 << 30, 1 << 20


class HostDescription:
    """Describes the host; what cannot change while it runs is read once."""

    def __init__(self, conf: cfg.ConfigOpts, hypervisor: Hypervisor, machine: Machine) -> None:
        self._conf = conf
        self._hypervisor = hypervisor
        self._virt_type = machine.virt_type
        self._version = importlib.metadata.version("cumulet")
        self._cpu = cpu_info(pathlib.Path("/proc/cpuinfo").read_text())
        self._initiator = machine.initiator
        self._hypervisor_version = 0

    def describe(self) -> tuple[Capabilities, dict[str, Inventory]]:
        """Never fails: without libvirt the hypervisor's version is the last known."""
        disk = os.statvfs(str(self._conf.state_path))
        total_gib = disk.f_blocks * disk.f_frsize // _GIB
        capabilities = Capabilities(
            version=self._version,
            hypervisor_type="QEMU",
            hypervisor_version=self._qemu_version(),
            hypervisor_hostname=str(self._conf.host),
            virt_type=self._virt_type,
            cpu_model=str(self._cpu["model"]),
            host_ip=str(self._conf.my_ip),
            initiator=self._initiator,
            free_gib=disk.f_bavail * disk.f_frsize // _GIB,
            total_gib=total_gib,
            cpu_info=json.dumps(self._cpu, sort_keys=True),
            uptime_s=int(float(pathlib.Path("/proc/uptime").read_text().split()[0])),
        )
        return capabilities, self._inventory(total_gib)

    def _inventory(self, total_gib: int) -> dict[str, Inventory]:
        conf = self._conf
        return {
            "VCPU": Inventory(
                total=os.cpu_count() or 1,
                reserved=conf.reserved_host_cpus,
                allocation_ratio=conf.cpu_allocation_ratio,
            ),
            "MEMORY_MB": Inventory(
                total=_memory_mib(),
                reserved=conf.reserved_host_memory_mb,
                allocation_ratio=conf.ram_allocation_ratio,
            ),
            "DISK_GB": Inventory(
                total=total_gib,
                reserved=-(-conf.reserved_host_disk_mb // 1024),
                allocation_ratio=conf.disk_allocation_ratio,
            ),
        }

    def _qemu_version(self) -> int:
        if not self._hypervisor_version:
            try:
                self._hypervisor_version = self._hypervisor.version()
            except HypervisorError:
                return 0
        return self._hypervisor_version


def cpu_info(text: str) -> dict[str, object]:
    """``/proc/cpuinfo`` in the shape of a hypervisor's ``cpu_info``."""
    blocks = [dict(_pair(line) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    first = blocks[0] if blocks else {}
    sockets = len({b.get("physical id", "0") for b in blocks}) or 1
    cores = int(first.get("cpu cores", "1"))
    return {
        "arch": platform.machine(),
        "vendor": first.get("vendor_id", ""),
        "model": first.get("model name", ""),
        "features": sorted(first.get("flags", "").split()),
        "topology": {
            "cells": 1,
            "sockets": sockets,
            "cores": cores,
            "threads": max(1, int(first.get("siblings", str(cores))) // cores),
        },
    }


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _memory_mib() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB
