"""``python -m lab.up``: the commands behind make's targets."""

import argparse
import os
import sys

from lab.up import down, lock, plan, profile, step, supervisor


def main() -> None:
    """Runs the steps of the command that was given; the status is 1 when one failed."""
    arguments = _parser().parse_args()
    printer = step.Printer()
    try:
        if arguments.command == "status":
            sys.exit(_status())
        with lock.machine(arguments.command):
            succeeded = step.run(_steps(arguments), printer)
    except step.StepError as error:
        sys.exit(f"error: {error.reason}\nwhat to do: {error.remedy}")
    except KeyboardInterrupt:
        sys.exit("interrupted: 'make up' goes on where it stopped, 'make down' takes everything away")
    if not succeeded:
        sys.exit(1)
    print(f"{printer.elapsed_s():6.1f} s  {_LAST_WORDS[arguments.command]}")


_LAST_WORDS = {
    "up": "the cloud is up: '. /etc/cumulet/openrc' and 'openstack server list', "
    "or --os-cloud cumulet with OS_CLIENT_CONFIG_FILE=/etc/cumulet/clouds.yaml",
    "down": "nothing is left running",
    "demo": "the demo passed",
    "prepare": "linters and tests can run",
}


def _steps(arguments: argparse.Namespace) -> list[step.Step]:
    if arguments.command == "up":
        return plan.up(arguments.profile or profile.current() or profile.DEFAULT, not arguments.no_demo)
    if arguments.command == "down":
        return down.steps(arguments.purge)
    return plan.demo() if arguments.command == "demo" else plan.prepare()


def _status() -> int:
    """Prints what runs; 0 when all of ours do."""
    states = supervisor.states()
    for name, state in sorted(states.items()):
        print(f"{name:20} {state}")
    if not states:
        print("the cloud is down: 'make up' starts it")
    return 0 if all(states.get(name) == "RUNNING" for name in profile.programs()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab.up", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="install, configure and start everything, then run the demo")
    up.add_argument(
        "--profile",
        choices=profile.PROFILES,
        help="one process, or each apart with MariaDB and RabbitMQ; the cloud's own, else embedded",
    )
    up.add_argument("--no-demo", action="store_true", help="leave the demo out")
    away = commands.add_parser("down", help="take everything away")
    away.add_argument("--purge", action="store_true", help="configuration, state and logs as well")
    commands.add_parser("demo", help="boot, ping, log in, attach a volume")
    commands.add_parser("prepare", help="make the environment of linters and tests")
    commands.add_parser("status", help="which processes run")
    return parser


if __name__ == "__main__":
    os.umask(0o022)
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
