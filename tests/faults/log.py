"""What a process says from a moment on."""

from lab.up import places


class Log:
    """The log of a supervised program, from where it ends now."""

    def __init__(self, program: str) -> None:
        self._path = places.log_file(program)
        self._from = self._path.stat().st_size

    def has(self, words: str) -> bool:
        """Whether it said these words."""
        with self._path.open("rb") as file:
            file.seek(self._from)
            return words in file.read().decode(errors="replace")
