from pathlib import Path

import pytest
from synctalk_local.commands import docker
from synctalk_local.ports import ports_for
from synctalk_local.stack import Stack, WrongSettingError


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, tmp_path / ".local", ports_for(8080))


def test_mode__that_is_none__is_refused(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "podman")

    with pytest.raises(WrongSettingError, match="MODE must be"):
        docker.is_chosen(stack, starting=True)


def test_mode__without_a_compose_file__is_local(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODE", raising=False)

    assert not docker.is_chosen(stack, starting=True)


@pytest.mark.parametrize(("mode", "expected"), [("docker", True), ("local", False)])
def test_mode__of_the_way_up__is_remembered_by_the_other_commands(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, mode: str, expected: bool
) -> None:
    monkeypatch.setenv("MODE", mode)
    docker.is_chosen(stack, starting=True)
    monkeypatch.delenv("MODE")

    assert docker.is_chosen(stack, starting=False) is expected


def test_up__more_processes_than_compose_names__is_refused(tmp_path: Path) -> None:
    stack = Stack(tmp_path, tmp_path / ".local", ports_for(8080, {"api": 2, "gateway": 2}))

    with pytest.raises(WrongSettingError, match="MODE=local"):
        docker.up(stack, lambda _: None)
