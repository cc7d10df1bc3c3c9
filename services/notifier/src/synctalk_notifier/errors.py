"""The notifier's errors, besides the runtime's."""

from synctalk_runtime.errors import ConflictError


class TooManyDevicesError(ConflictError):
    message = "You have registered too many devices. Remove one first."
