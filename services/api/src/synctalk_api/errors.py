"""The errors of this service beside the runtime's."""

from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.errors import AppError


class ClientMessageIdReusedError(AppError):
    code = ErrorCode.CLIENT_MESSAGE_ID_REUSED
    message = "You have already used this client_message_id for another message in this conversation."
