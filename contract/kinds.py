"""Every kind of document with its struct, and decoding by kind."""

import msgspec

from contract.address_group import AddressGroup
from contract.document import Document, Envelope, UnknownVersionError
from contract.export import Export
from contract.instance_data import InstanceData
from contract.network import Network
from contract.port import Port
from contract.router import Router
from contract.security_group import SecurityGroup
from contract.segment import Segment
from contract.server import Server
from contract.volume import Volume

KINDS: dict[str, type[Document]] = {
    struct.KIND: struct
    for struct in (
        Server,
        InstanceData,
        Port,
        Network,
        Segment,
        SecurityGroup,
        AddressGroup,
        Router,
        Volume,
        Export,
    )
}


def decode(envelope: Envelope) -> Document:
    """The document inside an envelope.

    Raises UnknownVersionError when the engine is newer than this side knows how to read.
    """
    struct = KINDS.get(envelope.kind)
    if struct is None or envelope.version > struct.VERSION:
        known = f"version {struct.VERSION}" if struct else "nothing"
        raise UnknownVersionError(
            f"document {envelope.kind} {envelope.id} has version {envelope.version}, "
            f"this agent knows {known}: upgrade the agent of this host"
        )
    return msgspec.json.decode(envelope.body, type=struct)
