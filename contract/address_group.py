"""An address group: prefixes that rules of security groups name as one."""

from typing import ClassVar

from contract.document import Document


class AddressGroup(Document, frozen=True, kw_only=True):
    """Sent to hosts with a port in a security group whose rules name it as remote."""

    KIND: ClassVar[str] = "address_group"

    addresses: tuple[str, ...] = ()
