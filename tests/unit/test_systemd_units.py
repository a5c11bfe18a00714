"""Traps of units that nobody sees before a restart on a real host."""

import configparser
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "etc/systemd"
#: Units that keep `ip netns` and dnsmasq.
OF_NETWORKS = ("cumulet-ovs-agent.service", "cumulet-allinone.service")
SERVICES = sorted(path.name for path in FOLDER.glob("*.service") if path.name != "cumulet-guests.service")
#: What gives a unit a mount namespace of its own (systemd.exec(5)); so do directories that systemd makes for it.
MAKES_A_MOUNT_NAMESPACE = {
    *("PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateUsers", "PrivateIPC", "PrivateNetwork"),
    *("ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs"),
    *(
        "ProtectControlGroups",
        "ProtectProc",
        "ProcSubset",
        "ProtectHostname",
        "MountFlags",
        "TemporaryFileSystem",
    ),
    *(
        "ReadWritePaths",
        "ReadOnlyPaths",
        "InaccessiblePaths",
        "BindPaths",
        "BindReadOnlyPaths",
        "NoExecPaths",
    ),
    *("RootDirectory", "RootImage", "DynamicUser", "RuntimeDirectory", "StateDirectory", "LogNamespace"),
}


def section(unit: str) -> dict[str, str]:
    """What a unit says of its service; of what is said twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(FOLDER / unit)
    return dict(parser["Service"])


@pytest.mark.parametrize("unit", OF_NETWORKS)
def test_namespaces_and_dnsmasq_are_the_hosts(unit: str) -> None:
    service = section(unit)
    assert not MAKES_A_MOUNT_NAMESPACE & set(service)
    assert service["KillMode"] == "process"


@pytest.mark.parametrize("unit", SERVICES)
def test_life_of_a_unit(unit: str) -> None:
    service = section(unit)
    assert service["Type"] == "notify" and int(service["WatchdogSec"]) >= 120
    assert service["Restart"] == "always" and service["RestartPreventExitStatus"] == "78"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_every_program_has_a_unit() -> None:
    parser = configparser.ConfigParser()
    parser.read(FOLDER.parents[1] / "setup.cfg")
    lines = parser["options.entry_points"]["console_scripts"].split("\n")
    programs = {line.partition(" ")[0] for line in lines if line} - {"controller-manage"}
    assert {section(unit)["ExecStart"] for unit in SERVICES} == {f"/opt/cumulet/bin/{p}" for p in programs}
