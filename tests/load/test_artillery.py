"""Artillery's scenario against the whole system: everybody connects, each message is acked, and others receive them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from synctalk_systemtest.stack import RunningStack

USERS = 10
MESSAGES = 10
"""Of each."""


@pytest.mark.timeout(300)
def test_load__of_a_group__nothing_fails(stack: RunningStack, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--users", str(USERS), "--seconds", "1", "--output", str(report)]
    command = [sys.executable, "-m", "synctalk_bench.artillery", *options]
    done = subprocess.run(command, env=os.environ | stack.environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())["aggregate"]
    counters = found["counters"]
    assert (counters["vusers.completed"], counters["vusers.failed"]) == (USERS, 0)
    assert counters["socketio.emit"] == found["summaries"]["socketio.response_time"]["count"] == USERS * MESSAGES
    assert [name for name in counters if name.startswith("errors")] == []
    assert found["summaries"]["synctalk.delivery"]["count"] == counters["synctalk.delivered"] > 0


def test_load__where_nothing_answers__fails(stack: RunningStack) -> None:
    command = [sys.executable, "-m", "synctalk_bench.artillery", "--url", "http://127.0.0.1:1"]
    done = subprocess.run(command, env=os.environ | stack.environment(), capture_output=True, text=True, check=False)

    assert done.returncode != 0
