"""What is said of a server whose certificate was refused."""

import ssl

from synctalk_runtime import tls


def refused() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"
    return error


def test_refusal__behind_other_errors__is_found() -> None:
    error = ConnectionError()
    error.__cause__ = OSError()
    error.__cause__.__context__ = refused()

    assert tls.refusal(error) == "self-signed certificate"


def test_refusal__causes_in_a_circle__end() -> None:
    error, other = ConnectionError(), OSError()
    error.__cause__, other.__context__ = other, error

    assert tls.refusal(error) is None
