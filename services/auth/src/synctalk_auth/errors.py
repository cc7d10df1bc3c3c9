"""Every way auth says no, beside those that all services have."""

from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.errors import AppError, UnavailableError


class InvalidCredentialsError(AppError):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "The username or the password is wrong."


class InvalidRefreshTokenError(AppError):
    code = ErrorCode.INVALID_REFRESH_TOKEN
    message = "The refresh token is not valid any more; sign in again."


class WrongPasswordError(AppError):
    code = ErrorCode.WRONG_PASSWORD
    message = "The current password is wrong."


class UsernameTakenError(AppError):
    code = ErrorCode.USERNAME_TAKEN
    message = "This username is taken."


class HashingBusyError(UnavailableError):
    """More passwords wait to be checked than may."""

    message = "Too many people are signing in right now; try again in a moment."


class KeyUnreadableError(Exception):
    """A signing key in the table cannot be decrypted: the passphrase is missing or is another one."""
