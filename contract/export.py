"""The desired export: one volume shown to one initiator (taken by ``volume_agent``)."""

from typing import ClassVar

import msgspec

from contract.document import Document


class Export(Document, frozen=True, kw_only=True):
    """``id`` is the attachment's: an export per attachment, with a secret of its own.

    ``initiator`` is the IQN or address that may connect; an empty one admits by CHAP alone.
    """

    KIND: ClassVar[str] = "export"

    volume_id: str
    iqn: str
    lun: int
    initiator: str = ""
    chap_username: str
    chap_password: str
    is_read_only: bool = False


class ExportObserved(msgspec.Struct, frozen=True, kw_only=True):
    """``portal`` is address:port as initiators reach it; ``lun`` the unit under which the volume is seen."""

    is_exported: bool
    portal: str = ""
    lun: int = 0
