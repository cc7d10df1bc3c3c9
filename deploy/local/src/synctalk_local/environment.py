"""The `SYNCTALK_…` settings given to the stack: a `.env` file in the checkout, and the environment, which wins."""

import os
from pathlib import Path

PREFIX = "SYNCTALK_"
OF_THE_TOOLS = ("SYNCTALK_URL", "SYNCTALK_TEST_", "SYNCTALK_E2E_")
"""Beginnings of names that clients and tests use: no service's setting, so that their change starts nothing anew."""


def given_settings(checkout: Path) -> dict[str, str]:
    path = checkout / ".env"
    written = parse(path.read_text()) if path.exists() else {}
    exported = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    return {name: value for name, value in (written | exported).items() if not name.startswith(OF_THE_TOOLS)}


def parse(text: str) -> dict[str, str]:
    """`NAME=value` lines; empty values, comments and names of others are left out."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        cleaned = value.strip().strip("'\"")
        if equals and cleaned and name.startswith(PREFIX):
            found[name.strip()] = cleaned
    return found
