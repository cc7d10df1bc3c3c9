"""The gateway's errors, beyond those of the runtime."""

from synctalk_runtime.errors import AppError, MalformedError, RateLimitedError, UnavailableError

__all__ = [
    "DrainingError",
    "FloodingUserError",
    "MalformedPacketError",
    "TooManyCommandsError",
    "TooManyConnectionsError",
    "TooManyFromAddressError",
    "TooManyPacketsError",
    "TooManySocketsError",
]


class MalformedPacketError(MalformedError):
    message = "The event's payload must be a JSON object."


class TooManyConnectionsError(RateLimitedError):
    message = "You have too many open connections."


class TooManyCommandsError(UnavailableError):
    message = "The gateway is overloaded. Try again."


class TooManyPacketsError(RateLimitedError):
    message = "Too many packets on this connection. Try again later."


class FloodingUserError(UnavailableError):
    message = "Your connections sent too many packets; connect again later."


class TooManySocketsError(UnavailableError):
    message = "The gateway can't accept more connections right now. Reconnect later."


class TooManyFromAddressError(UnavailableError):
    message = "Too many connections from this network address. Reconnect later."


class DrainingError(UnavailableError):
    message = "This gateway is shutting down. Reconnect."


class RefusedError(Exception):
    """A connection that was refused, with the error that the client gets."""

    def __init__(self, error: AppError) -> None:
        super().__init__(str(error))
        self.error = error
