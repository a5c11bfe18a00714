"""``controller-manage doctor``: looks everywhere, explains, repairs what is safe to repair."""

import sys
from dataclasses import dataclass

import click
from sqlalchemy import select

from contract.calls import Adopt, Inspect, InspectAnswer, Nothing
from controller.db.agents import Agent
from controller.db.mark import database_id
from controller.engine.doctor import Disagreement, Place, examine
from controller.main.process import Process, configured
from runtime.bus import CONTROLLER, Bus, BusError


@dataclass(frozen=True)
class Wishes:
    """What the operator wants done."""

    is_dry: bool
    is_removing: bool


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be repaired.")
@click.option("--remove-unknown", is_flag=True, help="Have hosts remove what the database does not know.")
def doctor(dry_run: bool, remove_unknown: bool) -> None:
    """List every disagreement between database, allocations, agents and hosts; repair what is safe.

    Ends with status 1 if something is left.
    """
    process = configured()
    bus = Bus(process.conf, CONTROLLER, process.keys)
    hosts = _ask(process, bus)
    with process.db.read() as session:
        found = examine(session, hosts)
    wishes = Wishes(dry_run, remove_unknown)
    left = [d for d in found if not _treat(process, bus, d, wishes)]
    click.echo(f"{len(found)} disagreements, {len(found) - len(left)} repaired")
    sys.exit(1 if left else 0)


def _ask(process: Process, bus: Bus) -> dict[Place, InspectAnswer | None]:
    """What every agent sees on its host."""
    with process.db.read() as session:
        places = [(a.agent, a.host) for a in session.scalars(select(Agent))]
    answers: dict[Place, InspectAnswer | None] = {}
    for place in places:
        try:
            answers[place] = bus.call(place, "inspect", Inspect(), InspectAnswer)
        except BusError:
            answers[place] = None
    return answers


def _treat(process: Process, bus: Bus, found: Disagreement, wishes: Wishes) -> bool:
    """Tells of one disagreement and repairs it if that is safe; whether it is gone."""
    click.echo(f"- {found.what}\n    {found.why}")
    if found.remedy:
        click.echo(f"    remedy: {found.remedy}")
    repairs = [found.repair, found.remove if wishes.is_removing else None]
    verbs = [verb for verb in repairs if verb is not None]
    if wishes.is_dry or not (verbs or found.adopt):
        return False
    for verb in verbs:
        process.db.write(verb)
    if found.adopt is not None:
        _adopt(process, bus, found.adopt)
    click.echo("    repaired")
    return True


def _adopt(process: Process, bus: Bus, place: Place) -> None:
    """The agent follows this database from now on, from the revision that it is at."""
    with process.db.read() as session:
        name = database_id(session)
        revision = (
            session.scalar(select(Agent.revision).where(Agent.agent == place[0], Agent.host == place[1])) or 0
        )
    bus.call(place, "adopt", Adopt(database_id=name, revision=revision), Nothing)
