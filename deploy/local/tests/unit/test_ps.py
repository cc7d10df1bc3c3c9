import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from synctalk_local.commands.ps import row, table, word
from synctalk_local.ports import ports_for
from synctalk_local.stack import Stack
from synctalk_local.supervision.client import ProcessState
from synctalk_testkit.ports import free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_table__heads_the_columns_by_their_words() -> None:
    lines = table([("api-1", "17", "21601", "running"), ("redis", "-", "21606", "stopped")]).splitlines()

    assert [line.split() for line in lines] == [
        ["NAME", "PID", "PORT", "STATE"],
        ["api-1", "17", "21601", "running"],
        ["redis", "-", "21606", "stopped"],
    ]


def test_names__of_a_stack__are_those_of_the_interface() -> None:
    names = Stack(Path("/x"), Path("/x/.local"), ports_for(8080)).names

    assert set(names) == {
        *("edge", "auth-1", "api-1", "gateway-1", "gateway-2", "presence-1", "notifier-1", "fcm"),
        *("postgres", "redis", "rabbitmq"),
    }


def test_row__of_an_unknown_process__is_stopped_without_a_pid() -> None:
    assert row("redis", 21_606, {}) == ("redis", "-", "21606", "stopped")


@pytest.mark.parametrize(
    ("pid", "state", "expected"),
    [(0, "stopped", "stopped"), (0, "failed", "failed"), (0, "starting", "starting"), (17, "running", "starting")],
)
def test_word__for_what_does_not_listen(pid: int, state: str, expected: str) -> None:
    assert word(ProcessState("redis", pid, state), free_port()) == expected


def test_word__for_what_listens__is_running(taken_port: int) -> None:
    assert word(ProcessState("edge", os.getpid(), "running"), taken_port) == "running"


def test_word__while_only_what_a_killed_one_left_listens__is_starting(taken_port: int) -> None:
    assert word(ProcessState("edge", 0, "starting"), taken_port) == "starting"
