"""The commands of `make`, against the whole running system."""

import asyncio
import os
import re
import subprocess
import sys
import time

import aiohttp
import pytest
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users
from synctalk_testkit.eventually import eventually

BACK_WITHIN_S = 3.0
SERVICES = ["auth-1", "api-1", "gateway-1", "gateway-2", "presence-1", "notifier-1", "fcm"]
BACKING = ["postgres", "redis", "rabbitmq", "edge"]


def run(stack: RunningStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synctalk_local", *arguments]
    return subprocess.run(command, env=os.environ | stack.environment(), capture_output=True, text=True, check=False)


def test_unknown_command__is_refused_with_the_list(stack: RunningStack) -> None:
    done = run(stack, "explode")

    assert done.returncode == 2
    assert "| down |" in done.stderr


def test_logs__of_an_unknown_name__says_which_there_are(stack: RunningStack) -> None:
    done = run(stack, "logs", "nobody-1")

    assert done.returncode == 1
    assert "gateway-1" in done.stderr


def test_ps__of_the_whole_system__names_every_process_with_pid_port_and_state(stack: RunningStack) -> None:
    lines = [line.split() for line in run(stack, "ps").stdout.splitlines()]

    assert lines[0] == ["NAME", "PID", "PORT", "STATE"]
    assert {line[0] for line in lines[1:]} == {*SERVICES, *BACKING}
    for name, pid, port, state in lines[1:]:
        assert (int(pid), int(port), state) == (stack.pid(name), stack.stack.port_of(name), "running")


def test_up__again__is_quick_and_leaves_all_alone(stack: RunningStack) -> None:
    before = stack.ps()
    began = time.monotonic()

    done = run(stack, "up")

    assert done.returncode == 0, done.stderr
    assert f"SyncTalk runs at http://localhost:{stack.stack.ports.edge}" in done.stdout
    assert stack.ps() == before
    assert time.monotonic() - began < 10


def test_demo__shows_all_of_the_story(stack: RunningStack) -> None:
    command = [sys.executable, "-m", "synctalk_bench.demo"]
    environment = os.environ | stack.environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    for shown in (
        r"thread:changed +“Cinema on Friday\?”, replies: 1",
        r"200 mentions +Ben: @cleo-",
        r"200 file +tickets.txt, 36 bytes",
        r"message:updated +Cleo, #4, pinned by Cleo",
        r"200 search +search “tick”: #4: Here are the tickets\.",
        r"200 pins +#4: Here are the tickets\.",
        r"push on the phone",
        r"ack of sync +Cleo, #5: Seats are booked",
    ):
        assert re.search(shown, done.stdout), f"{shown} is not in\n{done.stdout}"


@pytest.mark.parametrize("name", [*SERVICES, *BACKING])
async def test_killed__any_process__is_back_within_three_seconds_and_serves(
    stack: RunningStack, users: Users, name: str
) -> None:
    old, began = stack.kill(name), time.monotonic()

    await eventually(lambda: stack.pid(name) not in (0, old), message=f"{name} was not started again")
    assert time.monotonic() - began < BACK_WITHIN_S

    await asyncio.to_thread(stack.wait_running, name, other_than=old)
    await eventually(lambda: _someone_registers(users), 30, message=f"after {name} came back nobody can register")


def test_gateway__stopped_and_started__is_shown_so(stack: RunningStack) -> None:
    stack.stop("gateway-2")
    shown = {line.split()[0]: line.split()[1:] for line in run(stack, "ps").stdout.splitlines()}
    stack.start("gateway-2")

    assert shown["gateway-2"] == ["-", str(stack.stack.port_of("gateway-2")), "stopped"]
    assert stack.ps()["gateway-2"][1] == "running"


async def _someone_registers(users: Users) -> bool:
    try:
        return bool(await users.register())
    except (AssertionError, OSError, aiohttp.ClientError, TimeoutError):
        return False
