"""Chores are done at the start and again in their time; one that fails stops no other."""

import threading

from runtime import watchdog
from runtime.chores import Chore, Chores


def test_each_is_done_at_once_and_then_in_its_time() -> None:
    done: list[str] = []
    thrice, failed = threading.Event(), threading.Event()

    def often() -> None:
        done.append("often")
        if done.count("often") == 3:
            thrice.set()

    def fails() -> None:
        failed.set()
        raise RuntimeError("no disk")

    chores = Chores(
        [Chore("f", 3600, fails), Chore("o", 0.01, often), Chore("s", 3600, lambda: done.append("s"))]
    )
    chores.start()
    assert failed.wait(5) and thrice.wait(5)
    chores.stop()
    assert done.count("s") == 1


def test_the_watchdog_may_have_it_come_round() -> None:
    chores = Chores([Chore("seldom", 3600, lambda: None)], "chores of a test")
    chores.start()
    (turns,) = [turns for turns in watchdog._known if turns.name == "chores of a test"]
    eventually = threading.Event()
    for _ in range(3):
        turns.is_fresh = False
        turns.wake()
        while not turns.is_fresh and not eventually.wait(0.01):
            pass
    chores.stop()
