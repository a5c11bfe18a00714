"""What holds for every kind of document: hosts are upgraded one at a time, so both sides bear each other."""

import msgspec
import pytest

from contract.document import Document, Envelope, UnknownVersionError, digest, encode
from contract.kinds import KINDS, decode
from contract.topics import AGENT_OF_KIND


def sample(struct: type[Document]) -> Document:
    """A document with every required field filled by type."""
    blanks = {str: "x", int: 1, bool: False}
    required = {
        f.name: blanks.get(f.type, _nested(f.type)) for f in msgspec.structs.fields(struct) if f.required
    }
    return struct(**required)


def _nested(kind: object) -> object:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{f.name: 1 for f in msgspec.structs.fields(kind) if f.required})
    arguments = getattr(kind, "__args__", ())
    return arguments[0] if arguments else "x"


def envelope(document: Document, body: bytes | None = None, version: int = 1) -> Envelope:
    raw = encode(document) if body is None else body
    return Envelope(
        kind=document.KIND, id=document.id, version=version, digest=digest(raw), revision=1, body=raw
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_document_comes_back_as_it_went(kind: str) -> None:
    document = sample(KINDS[kind])
    assert decode(envelope(document)) == document


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_unknown_field_is_ignored(kind: str) -> None:
    document = sample(KINDS[kind])
    newer = {**msgspec.json.decode(encode(document)), "field_of_a_newer_engine": {"a": [1]}}
    assert decode(envelope(document, msgspec.json.encode(newer))) == document


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_unknown_version_is_refused_with_a_remedy(kind: str) -> None:
    document = sample(KINDS[kind])
    with pytest.raises(UnknownVersionError, match="upgrade the agent"):
        decode(envelope(document, version=document.VERSION + 1))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_beyond_the_first_ones_has_a_default(kind: str) -> None:
    """A new field may not make documents of an older engine unreadable."""
    required = {f.name for f in msgspec.structs.fields(KINDS[kind]) if f.required}
    assert required == REQUIRED[kind], f"{kind}: give the new field a default"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_equal_content_has_equal_bytes(kind: str) -> None:
    document = sample(KINDS[kind])
    again = msgspec.json.decode(encode(document), type=KINDS[kind])
    assert encode(again) == encode(document)


def test_every_kind_is_taken_by_one_agent() -> None:
    assert set(AGENT_OF_KIND) == set(KINDS)


#: What the first release required; it may shrink, never grow.
REQUIRED = {
    "server": {"id", "name", "hostname", "project_id", "flavor", "power", "power_generation"},
    "instance_data": {"id", "name", "hostname", "project_id", "availability_zone", "instance_type"},
    "port": {"id", "network_id", "project_id", "mac_address", "device_id", "device_owner"},
    "network": {"id", "project_id", "mtu"},
    "segment": {"id", "network_type"},
    "security_group": {"id"},
    "address_group": {"id"},
    "router": {"id", "project_id"},
    "volume": {"id", "project_id", "size_gib", "backend"},
    "export": {"id", "volume_id", "iqn", "lun", "chap_username", "chap_password"},
}
