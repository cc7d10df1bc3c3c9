"""The errors of auth, in addition to those of all services."""

from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.errors import AppError, ConflictError, ForbiddenError, UnavailableError


class InvalidCredentialsError(AppError):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "Incorrect username or password."


class InvalidRefreshTokenError(AppError):
    code = ErrorCode.INVALID_REFRESH_TOKEN
    message = "The refresh token is no longer valid. Sign in again."


class WrongPasswordError(AppError):
    code = ErrorCode.WRONG_PASSWORD
    message = "The current password is incorrect."


class UsernameTakenError(AppError):
    code = ErrorCode.USERNAME_TAKEN
    message = "This username is already taken."


class RegistrationClosedError(ForbiddenError):
    message = "Registration is closed."


class InviteNeededError(ForbiddenError):
    message = "Registration needs a valid invite."


class UnknownUserError(ForbiddenError):
    message = "This user doesn't exist here, and the issuer may not create users."


class DeactivatedError(ForbiddenError):
    message = "This account is deactivated."


class TooManyKeysError(ConflictError):
    message = "There are too many server keys. Delete one first."


class GuestsOffError(ForbiddenError):
    message = "Guests can't come in."


class InvalidCodeError(AppError):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "The code is not valid any more. Sign in again."


class SignInRefusedError(Exception):
    """What an identity provider says does not hold."""


class HashingBusyError(UnavailableError):
    """More passwords wait to be checked than may."""

    message = "Too many sign-ins right now. Try again in a moment."


class KeyUnreadableError(Exception):
    """A signing key in the table cannot be decrypted: the passphrase is missing or is another one."""
