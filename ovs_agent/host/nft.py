"""nft: a whole text in one transaction, and the number that the kernel counts up with every change of its rules."""

import socket
import struct
import subprocess

from ovs_agent.host import netns

_TIMEOUT_S = 30
_NETLINK_NETFILTER = 12
#: nfnetlink's subsystem nf_tables, message NFT_MSG_GETGEN, as a request.
_GET_GENERATION = (10 << 8) | 16
_REQUEST = 1
_GENERATION_ID = 1


class NftError(Exception):
    """The kernel did not take the rules; the message is nft's own."""


def apply(namespace: str, text: str) -> int:
    """All of ``text`` or nothing; returns the generation that this made."""

    def work() -> tuple[subprocess.CompletedProcess[str], int]:
        done = subprocess.run(
            ["nft", "-f", "-"], input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        return done, _generation()

    try:
        done, generation_now = netns.inside(namespace, work)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftError(f"nft: {error}") from error
    if done.returncode != 0:
        raise NftError(f"nft: {done.stderr.strip()[:2000]}")
    return generation_now


def generation(namespace: str) -> int:
    """The number of the present rules: as long as it is the same, nobody changed any."""
    try:
        return netns.inside(namespace, _generation)
    except OSError as error:
        raise NftError(f"nf_tables: {error}") from error


def _generation() -> int:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.bind((0, 0))
        sock.send(struct.pack("=IHHIIBBH", 20, _GET_GENERATION, _REQUEST, 1, 0, 0, 0, 0))
        answer = sock.recv(4096)
    attributes = answer[20:]
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _GENERATION_ID:
            return int(struct.unpack_from(">I", attributes, 4)[0])
        attributes = attributes[(length + 3) & ~3 or 4 :]
    raise NftError("nf_tables does not tell its generation")
