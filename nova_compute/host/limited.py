"""Runs a program on data that others made: as an argument list, with limits on CPU time and memory."""

import subprocess

import msgspec

#: glibc reserves 64 MiB of address space for each thread that allocates: the limit would hit by chance.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


class ProgramError(Exception):
    """A program could not be started, took too long, or said no: the message has its last words."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may take. ``file_bytes`` is the largest file it may write."""

    cpu_s: int = 30
    address_space_bytes: int = 1 << 30
    file_bytes: int | None = None
    timeout_s: float = 60.0


def run(arguments: list[str], limits: Limits) -> str:
    """What the program wrote to its standard output. Raises ProgramError."""
    fsize = [f"--fsize={limits.file_bytes}"] if limits.file_bytes is not None else []
    prlimit = ["prlimit", f"--cpu={limits.cpu_s}", f"--as={limits.address_space_bytes}", "--core=0", *fsize]
    try:
        done = subprocess.run(
            [*prlimit, "--", *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=limits.timeout_s,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **_ONE_ARENA},
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{arguments[0]} did not end in {limits.timeout_s:g} s") from error
    except OSError as error:
        raise ProgramError(f"{arguments[0]}: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise ProgramError(f"{arguments[0]} ended with {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")
