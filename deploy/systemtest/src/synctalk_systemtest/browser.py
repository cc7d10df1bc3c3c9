"""The web client's own browser tests, against a whole running system, which builds and serves it."""

import os
import shutil
import subprocess
import sys

import pytest
from synctalk_local.commands.up import up
from synctalk_local.stack import CHECKOUT

from synctalk_systemtest.stack import RunningStack

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
"""The first is the same engine without a window's own pages, which cost a third of the whole suite."""

CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), "")

needs_browser = [
    pytest.mark.skipif(not (CHECKOUT / "frontend" / "e2e").exists(), reason="there is no web client here"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed, and CHROMIUM names none"),
    pytest.mark.timeout(1500),  # nine minutes alone; on two cores beside two other stacks as much again
]


def run_in_browser(stack: RunningStack, script: str, **given: str) -> None:
    """Make sure that the client is built, and run this script of its `package.json`; the failure has what it prints.

    `given` are further variables of its environment.
    """
    said: list[str] = []
    up(stack.stack, said.append)
    assert not any(line.startswith("warning") for line in said), said

    environment = os.environ | stack.environment() | {"CHROMIUM": CHROMIUM} | given
    command = [sys.executable, "-m", "synctalk_local", "npm", "run", "--silent", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
