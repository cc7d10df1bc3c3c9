"""The web client's own browser tests, against the whole running system, which has built and serves it."""

import os
import shutil
import subprocess
import sys

import pytest
from synctalk_local.stack import CHECKOUT
from synctalk_local.up import up
from synctalk_testkit.stack import RunningStack, running_stack

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""


pytestmark = [
    pytest.mark.skipif(not (CHECKOUT / "frontend" / "e2e").exists(), reason="there is no web client here"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed, and CHROMIUM names none"),
    pytest.mark.timeout(900),
]


def run_in_browser(stack: RunningStack, script: str) -> None:
    environment = os.environ | stack.environment() | {"CHROMIUM": CHROMIUM}
    command = [sys.executable, "-m", "synctalk_local", "npm", "run", "--silent", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_web_client__in_a_browser__does_what_it_promises(stack: RunningStack) -> None:
    said: list[str] = []
    up(stack.stack, said.append)
    assert not any(line.startswith("warning") for line in said), said

    run_in_browser(stack, "e2e")


def test_web_client__past_the_end_of_its_token__stays_connected() -> None:
    with running_stack({"SYNCTALK_ACCESS_TOKEN_TTL_S": "30", "SYNCTALK_EXPIRY_WARNING_S": "20"}) as stack:
        run_in_browser(stack, "e2e:expiry")
