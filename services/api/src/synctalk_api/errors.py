"""The ways in which this service says no, beside the runtime's."""

from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.errors import AppError


class ClientMessageIdReusedError(AppError):
    code = ErrorCode.CLIENT_MESSAGE_ID_REUSED
    message = "This client_message_id names another message of yours in this conversation."
