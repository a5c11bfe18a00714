"""What keeps a process from its work and is no bug of it: told in a line, where a bug is told with its traceback."""

import logging


class Trouble(Exception):
    """What was asked for was not done, none of it, and may be asked for again. The message says what to do."""


def tell(logger: logging.Logger, error: BaseException, words: str, *args: object) -> None:
    """Logs what failed by ``error``."""
    if isinstance(error, Trouble):
        logger.warning(f"{words}: %s", *args, error)
    else:
        logger.error(words, *args, exc_info=error)
