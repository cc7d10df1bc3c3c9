"""The passwords that everybody guesses first."""

from importlib.resources import files


def common_passwords() -> frozenset[str]:
    """Return them, case-folded."""
    text = files("synctalk_auth").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line.casefold() for line in text.split())
