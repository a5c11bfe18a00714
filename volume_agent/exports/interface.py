"""What every way to show a volume to an initiator can do."""

import abc

from volume_agent.plan import Share


class ExportError(Exception):
    """It could not be done; the message is for the operator. Root of the errors of this tree."""


class ServiceDownError(ExportError):
    """The service that exports does not run: it will be exported when it does."""


class RefusedError(ExportError):
    """What is asked for can never be exported so."""


class Exporter(abc.ABC):
    """Shows volumes. Every verb may be repeated. All raise ExportError."""

    @abc.abstractmethod
    def shares(self) -> dict[str, Share]:
        """What is exported now, by IQN; a target that is not as we make them has LUN -1."""

    @abc.abstractmethod
    def export(self, share: Share, chap_password: str) -> None:
        """Exports; nobody can connect before it is complete. Raises RefusedError, ServiceDownError."""

    @abc.abstractmethod
    def unexport(self, iqn: str, chap_username: str) -> None:
        """Ends the sessions of this target alone, and takes it and its account away."""
