"""Every way the notifier says no, beside the runtime's."""

from synctalk_runtime.errors import ConflictError


class TooManyDevicesError(ConflictError):
    message = "There are too many devices already; remove one first."
