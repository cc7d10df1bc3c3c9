from pathlib import Path

import pytest
from synctalk_local.environment import given_settings, parse
from synctalk_local.stack import WrongSettingError, remember_counts, stack_from_environment


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "80 80"])
def test_stack__from_a_port_that_is_none__is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("SYNCTALK_PORT", port)

    with pytest.raises(WrongSettingError, match="SYNCTALK_PORT must be a port number"):
        stack_from_environment()


def test_stack__port_and_folder_given__takes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNCTALK_PORT", "8090")
    monkeypatch.setenv("SYNCTALK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SYNCTALK_LOG_LEVEL", "debug")

    stack = stack_from_environment()

    assert (stack.ports.edge, stack.data) == (8090, tmp_path)
    assert stack.settings["SYNCTALK_LOG_LEVEL"] == "debug"
    assert "SYNCTALK_PORT" not in stack.settings


def test_counts__given_once__are_remembered_by_the_other_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYNCTALK_DATA_DIR", str(tmp_path))
    remember_counts(stack_from_environment({"api": "3"}))
    changed = stack_from_environment({"gateway": "1"})

    assert stack_from_environment().counts == {"api": 3, "gateway": 2}
    assert [name for name in changed.names if name.startswith(("api", "gateway"))] == [
        *("api-1", "api-2", "api-3"),
        "gateway-1",
    ]
    assert len({changed.port_of(name) for name in changed.names} | {changed.ports.api}) == len(changed.names) + 1


@pytest.mark.parametrize(("name", "count"), [("api", "5"), ("gateway", "0"), ("api", "two"), ("redis", "2")])
def test_counts__that_cannot_be__are_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, count: str
) -> None:
    monkeypatch.setenv("SYNCTALK_DATA_DIR", str(tmp_path))

    with pytest.raises(WrongSettingError, match=f"{name.upper()} must be a number from 1 to 4"):
        stack_from_environment({name: count})


def test_parse__leaves_out_comments_empty_values_and_other_names() -> None:
    text = "# SYNCTALK_A=1\nSYNCTALK_B=\nOTHER=2\nSYNCTALK_C='three'\n"

    assert parse(text) == {"SYNCTALK_C": "three"}


def test_given_settings__of_tests_and_clients__reach_no_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYNCTALK_URL", "http://localhost:1")
    monkeypatch.setenv("SYNCTALK_TEST_OWNER_PID", "1")

    assert not {"SYNCTALK_URL", "SYNCTALK_TEST_OWNER_PID"} & set(given_settings(tmp_path))


def test_given_settings__environment__wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SYNCTALK_LOG_LEVEL=info\n")
    monkeypatch.setenv("SYNCTALK_LOG_LEVEL", "error")

    assert given_settings(tmp_path)["SYNCTALK_LOG_LEVEL"] == "error"
