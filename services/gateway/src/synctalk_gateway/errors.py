"""How the gateway says no, beyond what the runtime has."""

from synctalk_runtime.errors import AppError, MalformedError, RateLimitedError, UnavailableError

__all__ = ["DrainingError", "MalformedPacketError", "TooManyCommandsError", "TooManyConnectionsError"]


class MalformedPacketError(MalformedError):
    message = "The event's payload is not a JSON object."


class TooManyConnectionsError(RateLimitedError):
    message = "Too many live connections of this person."


class TooManyCommandsError(UnavailableError):
    message = "The gateway has more to do than it can; try again."


class DrainingError(UnavailableError):
    message = "This gateway is about to stop; connect again."


class RefusedError(Exception):
    """A connection that was refused, with what the client is told."""

    def __init__(self, error: AppError) -> None:
        super().__init__(str(error))
        self.error = error
