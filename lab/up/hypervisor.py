"""libvirt: the machine's own if it answers, else libvirtd and virtlogd under our supervisor."""

import os
import pathlib
import shutil
import socket
import stat
import xml.etree.ElementTree as ElementTree

from lab.up import command, files, places, supervisor

PROGRAMS = ("virtlogd", "libvirtd")
_SOCKET = pathlib.Path("/run/libvirt/libvirt-sock")
_KVM = pathlib.Path("/dev/kvm")
#: What libvirt keeps of each domain that ever was, and of each QEMU.
_LOGS = pathlib.Path("/var/log/libvirt/qemu")
_ABILITIES = pathlib.Path("/var/cache/libvirt/qemu/capabilities")
_CONFIG = places.CONFIG / "libvirtd.conf"
_QEMU_CONFIG = pathlib.Path("/etc/libvirt/qemu.conf")
_BEGIN, _END = "# begin of cumulet's lines\n", "# end of cumulet's lines\n"
#: Without systemd nobody gives libvirtd a cgroup tree, and a mount namespace per guest needs one of its own.
_QEMU_LINES = 'security_driver = "none"\ncgroup_controllers = []\nnamespaces = []\n'
#: What nova_compute writes into each of its domains.
_MARK = "cumulet"


def is_foreign() -> bool:
    """Whether a libvirtd answers that is not ours."""
    return _answers() and "libvirtd" not in supervisor.states()


def prepare_kvm() -> str:
    """Lets QEMU open /dev/kvm: where it may not, libvirt asks QEMU for its abilities anew at every call."""
    if not _KVM.exists():
        return "no /dev/kvm"
    before = _KVM.stat()
    if before.st_mode & 0o060 != 0o060:
        files.remember(kvm={"gid": before.st_gid, "mode": stat.S_IMODE(before.st_mode)})
        shutil.chown(_KVM, group="kvm")
        _KVM.chmod(0o660)
    return "/dev/kvm"


def restore_kvm(before: dict[str, int] | None) -> None:
    """Undoes ``prepare_kvm``; ``before`` is what it remembered."""
    if before and _KVM.exists():
        os.chown(_KVM, -1, before["gid"])
        _KVM.chmod(before["mode"])


def configure(host_uuid: str) -> None:
    """Configuration of a libvirtd of our own."""
    lines = (
        f'host_uuid = "{host_uuid}"',
        'unix_sock_group = "libvirt"',
        'unix_sock_rw_perms = "0770"',
        'auth_unix_ro = "none"',
        'auth_unix_rw = "none"',
    )
    files.write(_CONFIG, "".join(f"{line}\n" for line in lines))
    plain = _plain_qemu_config()
    if plain is not None and not pathlib.Path("/run/systemd/system").exists():
        files.write(_QEMU_CONFIG, _BEGIN + _QEMU_LINES + _END + plain, 0o600)


def sections() -> list[str]:
    """supervisord's sections."""
    config_digest = supervisor.digest([path for path in (_CONFIG, _QEMU_CONFIG) if path.exists()])
    return [supervisor.section(PROGRAMS[0], "1"), supervisor.section(PROGRAMS[1], config_digest)]


def wait() -> str:
    """Until libvirt answers."""
    command.wait_until(_answers, 30, lambda: supervisor.did_not_start(PROGRAMS[1]))
    return str(_SOCKET)


def remove_domains() -> int:
    """Destroys and undefines the domains that carry our mark; the answer is their number."""
    names = (command.output(["virsh", "list", "--all", "--name"]) or "").split() if _answers() else []
    ours = [name for name in names if _is_ours(command.output(["virsh", "dumpxml", name]))]
    for name in ours:
        command.output(["virsh", "destroy", name])
        command.output(["virsh", "undefine", "--nvram", "--managed-save", "--snapshots-metadata", name])
        for log in _LOGS.glob(f"{name}.log*"):
            log.unlink()
    return len(ours)


def clean_up(was_ours: bool) -> None:
    """Gives qemu.conf its former text, and removes what a libvirtd of ours left in /run and /var."""
    plain = _plain_qemu_config()
    if plain is not None and plain != _QEMU_CONFIG.read_text():
        files.write(_QEMU_CONFIG, plain, 0o600)
    if was_ours:
        shutil.rmtree("/run/libvirt", ignore_errors=True)
        shutil.rmtree(_ABILITIES, ignore_errors=True)
        for name in ("libvirtd.pid", "virtlogd.pid"):
            pathlib.Path("/run", name).unlink(missing_ok=True)


def _plain_qemu_config() -> str | None:
    """qemu.conf without our lines."""
    if not _QEMU_CONFIG.exists():
        return None
    text = _QEMU_CONFIG.read_text()
    if _BEGIN not in text:
        return text
    before, _, rest = text.partition(_BEGIN)
    return before + rest.partition(_END)[2]


def _is_ours(xml: str | None) -> bool:
    metadata = ElementTree.fromstring(xml).find("metadata") if xml else None
    return metadata is not None and any(_MARK in child.tag for child in metadata)


def _answers() -> bool:
    if not _SOCKET.exists():
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(os.fspath(_SOCKET)) == 0
