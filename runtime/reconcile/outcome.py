"""How applying a document may end. Any other exception is a bug: logged, backed off, reported."""

from typing import Protocol

import msgspec

from contract.document import Document
from contract.report import Fault


class Retry(Exception):
    """Not yet: look again after ``after_s`` seconds, or earlier on an event.

    With ``fault`` the controller is told why it does not go on.
    """

    def __init__(self, after_s: float, fault: Fault | None = None) -> None:
        super().__init__(fault.message if fault else f"again in {after_s:g} s")
        self.after_s = after_s
        self.fault = fault


class Failed(Exception):
    """It cannot be done and trying again will not help, until the document changes."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Handler(Protocol):
    """One kind of resource on this host. Calls for one id never overlap; different ids run side by side."""

    def apply(self, document: Document) -> msgspec.Struct | None:
        """Makes the host as ``document`` says and returns what was then seen (the kind's Observed).

        Idempotent. Raises Retry or Failed.
        """

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes the resource off the host for good; ``document`` is the last that was known.

        Idempotent; returning means nothing of it is left. Raises Retry or Failed.
        """
