"""Whoever asks first is served first."""

import threading

from controller.db.line import Line


def test_first_come_first_served() -> None:
    line = Line()
    served: list[int] = []
    threads: list[threading.Thread] = []

    def take(number: int) -> None:
        with line:
            served.append(number)

    with line:
        for number in range(20):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            _until_waiting(line, number + 1)
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_nobody_overtakes_the_one_who_waits() -> None:
    """The holder gives it on before it may ask again itself."""
    line = Line()
    order: list[str] = []

    def other() -> None:
        with line:
            order.append("other")

    thread = threading.Thread(target=other)
    with line:
        thread.start()
        _until_waiting(line, 1)
    with line:
        order.append("again")
    thread.join()
    assert order == ["other", "again"]


def test_it_is_free_after_an_error() -> None:
    line = Line()
    for _ in range(2):
        try:
            with line:
                raise ValueError
        except ValueError:
            pass
    with line:
        pass


def _until_waiting(line: Line, count: int) -> None:
    while len(line._waiting) < count:
        pass
