"""Claims never give more than there is, repeat without doubling, and leave nothing behind."""

import contextlib
import threading
from collections.abc import Callable

from sqlalchemy import select

from contract.report import Inventory
from controller.db.session import Database
from controller.placement import allocations, providers
from controller.placement.model import Consumer, Provider
from controller.placement.model import Inventory as Row

Queries = Callable[[], contextlib.AbstractContextManager[list[str]]]
HOST, OWNER = "host-1", ("project", "user")
INVENTORY = {
    "VCPU": Inventory(total=4, allocation_ratio=2.0),
    "MEMORY_MB": Inventory(total=1024, reserved=512),
}


def given_host(db: Database) -> None:
    db.write(lambda s: providers.ensure(s, HOST, "one", INVENTORY))


def claim(db: Database, consumer: str, **resources: int) -> bool:
    return db.write(lambda s: allocations.claim(s, HOST, consumer, resources, OWNER))


def used(db: Database) -> dict[str, int]:
    with db.read() as session:
        return allocations.usages(session)


def test_heartbeat_writes_only_differences(db: Database) -> None:
    given_host(db)
    given_host(db)
    with db.read() as session:
        assert session.scalar(select(Provider.generation)) == 1
    db.write(lambda s: providers.ensure(s, HOST, "one", {"VCPU": Inventory(total=8)}))
    with db.read() as session:
        assert session.scalar(select(Provider.generation)) == 2
        assert [(r.resource_class, r.total, r.max_unit) for r in session.scalars(select(Row))] == [
            ("VCPU", 8, 8)
        ]


def test_claims_to_the_capacity_and_not_further(db: Database) -> None:
    given_host(db)
    assert claim(db, "a", VCPU=4, MEMORY_MB=512)
    assert claim(db, "b", VCPU=4)
    assert not claim(db, "c", VCPU=1)
    assert not claim(db, "c", MEMORY_MB=1)
    assert not claim(db, "c", DISK_GB=1)
    assert used(db) == {"VCPU": 8, "MEMORY_MB": 512}


def test_one_request_above_max_unit_is_refused(db: Database) -> None:
    given_host(db)
    assert not claim(db, "a", VCPU=5)


def test_repeat_replaces(db: Database) -> None:
    given_host(db)
    assert claim(db, "a", VCPU=4, MEMORY_MB=512)
    assert claim(db, "a", VCPU=4, MEMORY_MB=512)
    assert claim(db, "a", VCPU=2, DISK_GB=0)
    assert used(db) == {"VCPU": 2}


def test_unknown_provider_gives_nothing(db: Database) -> None:
    assert not claim(db, "a", VCPU=1)


def test_release_leaves_no_consumer(db: Database) -> None:
    given_host(db)
    claim(db, "a", VCPU=1)
    db.write(lambda s: allocations.release(s, "a"))
    db.write(lambda s: allocations.release(s, "a"))
    with db.read() as session:
        assert session.scalars(select(Consumer)).all() == []
    assert used(db) == {}


def test_race_for_the_last_one_has_one_winner(db: Database) -> None:
    db.write(lambda s: providers.ensure(s, HOST, "one", {"VCPU": Inventory(total=4)}))
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: won.append(claim(db, f"c{n}", VCPU=1)))  # type: ignore[misc]
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 4 + [True] * 4
    assert used(db) == {"VCPU": 4}


def test_host_usage_is_one_query(db: Database, queries: Queries) -> None:
    given_host(db)
    claim(db, "a", VCPU=2)
    db.write(lambda s: providers.ensure(s, "host-2", "two", INVENTORY))
    with queries() as seen, db.read() as session:
        found = allocations.host_usage(session)
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1
    assert found[HOST]["VCPU"] == (4, 0, 2.0, 2)
    assert found["host-2"]["MEMORY_MB"] == (1024, 512, 1.0, 0)
