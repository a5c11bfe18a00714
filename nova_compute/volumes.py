"""Volumes on their way into a guest: sessions of the host's initiator, or secrets for QEMU's own."""

import contextlib
from collections.abc import Iterator, Sequence

from contract.server import Disk, IscsiTarget
from nova_compute.domain import disk as compiler
from nova_compute.host import iscsi
from nova_compute.host.libvirt import Hypervisor
from nova_compute.plan import Session


class Volumes:
    """Chosen once a process: the kernel's initiator where ``has_host_initiator``."""

    def __init__(self, hypervisor: Hypervisor, has_host_initiator: bool) -> None:
        self._hypervisor = hypervisor
        self._has_host_initiator = has_host_initiator

    def sessions(self, disks: Sequence[Disk]) -> tuple[Session, ...]:
        """The sessions that these volumes need on this host."""
        if not self._has_host_initiator:
            return ()
        return tuple(
            Session(attachment_id=d.attachment_id, portal=d.target.portal, iqn=d.target.iqn, lun=d.target.lun)
            for d in disks
        )

    @contextlib.contextmanager
    def reachable(self, disks: Sequence[Disk]) -> Iterator[None]:
        """Inside the block a guest can be started with, or be given, these volumes.

        QEMU keeps the secret it was started with: libvirt need not, so nothing is left afterwards.
        Raises ProgramError, WrongVolumeError, HypervisorError.
        """
        with contextlib.ExitStack() as secrets:
            for disk in disks:
                if self._has_host_initiator:
                    iscsi.log_in(disk.target, disk.serial)
                elif disk.target.chap_username:
                    usage = compiler.secret_usage(disk.attachment_id)
                    secrets.enter_context(self._hypervisor.secret(usage, disk.target.chap_password))
            yield

    def disconnect(self, session: Session) -> None:
        """Logs the host out of a unit; fine if it is not logged in. Raises ProgramError."""
        iscsi.log_out(
            IscsiTarget(
                portal=session.portal, iqn=session.iqn, lun=session.lun, chap_username="", chap_password=""
            )
        )

    def forget(self, attachment_ids: Sequence[str]) -> None:
        """Drops secrets that an agent killed half-way left behind."""
        for attachment_id in attachment_ids:
            self._hypervisor.forget_secret(compiler.secret_usage(attachment_id))
