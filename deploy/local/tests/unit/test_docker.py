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


@pytest.mark.parametrize(
    ("name", "container"), [("edge", "synctalk-edge-1"), ("auth-1", "synctalk-auth-1"), ("api-2", "synctalk-api-2")]
)
def test_container__of_each_process__is_named_as_compose_does(name: str, container: str) -> None:
    assert docker.container_name("synctalk", name) == container


@pytest.mark.parametrize(("name", "arguments"), [("redis", ("redis",)), ("api-2", ("--index", "2", "api"))])
def test_logs__of_one_process__are_those_of_its_container(name: str, arguments: tuple[str, ...]) -> None:
    assert docker.log_arguments(name) == arguments
