"""Chores are done at the start and again in their time; one that fails stops no other."""

import threading

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
