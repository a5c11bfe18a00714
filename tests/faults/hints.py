"""The harness as the engine's voice: hints of any age."""

import contextlib
from collections.abc import Iterable, Iterator

from oslo_config import cfg
from sqlalchemy import select

from contract.calls import Changed
from contract.document import Key
from controller.db.host_documents import HostDocument
from controller.db.sealed import MasterKey
from controller.main.keys import HostKeys
from lab.up import places
from runtime.bus import CONTROLLER, Bus
from tests.faults.cloud import Cloud

#: (agent, host), and what it is told of.
Hint = tuple[tuple[str, str], Key]


class Voice:
    """Sends hints as an engine does."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        # oslo.messaging reads the global options in places
        cfg.CONF([], project="cumulet", default_config_files=[str(places.CONFIG / "cumulet.conf")])
        self._bus = Bus(cfg.CONF, CONTROLLER, HostKeys(cloud.db, MasterKey.load(cfg.CONF)))

    def known(self) -> list[Hint]:
        """A hint of every document that any host has now."""
        with self._cloud.db.read() as session:
            rows = session.scalars(select(HostDocument)).all()
        return [((row.agent, row.host), Key(row.kind, row.resource_id)) for row in rows]

    def say(self, hints: Iterable[Hint]) -> None:
        """Sends them, each as a message of its own."""
        for place, key in hints:
            self._bus.cast(place, "changed", Changed(keys=(key,)))

    def close(self) -> None:
        """Ends the connection."""
        self._bus.close()
        cfg.CONF.reset()


@contextlib.contextmanager
def voice(cloud: Cloud) -> Iterator[Voice]:
    """One, for a while."""
    made = Voice(cloud)
    try:
        yield made
    finally:
        made.close()
