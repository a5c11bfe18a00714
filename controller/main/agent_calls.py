"""What the API asks of agents directly, because the answer is needed now."""

from contract import topics
from contract.calls import ConsoleOutput, ConsoleOutputAnswer
from controller.web.errors import ApiError, Conflict
from runtime.bus import Bus, RemoteFailedError, UnreachableError


class HostUnreachable(ApiError):
    """A host does not answer: the request was not carried out and may be repeated."""

    status, title = 503, "Service Unavailable"


class AgentCalls:
    """Implements the protocols that the slices ask for, over the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def console_output(self, host: str, server_id: str, length: int | None) -> str:
        """The end of a server's console log. Raises HostUnreachable, Conflict."""
        try:
            answer = self._bus.call(
                (topics.NOVA_COMPUTE, host),
                "console_output",
                ConsoleOutput(server_id=server_id, length=length),
                ConsoleOutputAnswer,
            )
        except UnreachableError:
            raise HostUnreachable("The server's host does not answer: try again in a few seconds.") from None
        except RemoteFailedError:
            raise Conflict(f"Instance {server_id} is not ready: its console cannot be read.") from None
        return answer.output
