"""The package installs by itself: its wheel, in an empty environment, brings everything that it imports."""

import subprocess
import sys
from pathlib import Path

import pytest
from synctalk_local.stack import CHECKOUT

PACKAGE = Path(__file__).parents[1]

pytestmark = pytest.mark.timeout(300)


def uv() -> str:
    own = CHECKOUT / ".venv-tools/bin/uv"
    return str(own) if own.exists() else "uv"


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel__in_an_empty_environment__imports_and_is_typed(tmp_path: Path) -> None:
    run(uv(), "build", "--wheel", "--out-dir", tmp_path, PACKAGE)
    [wheel] = tmp_path.glob("synctalk_client-*.whl")
    run(uv(), "venv", "--python", sys.executable, tmp_path / "empty")
    python = tmp_path / "empty/bin/python"
    run(uv(), "pip", "install", "--python", python, wheel)
    look = (
        "import synctalk, synctalk.webhooks, pathlib, importlib.metadata as m;"
        "print((pathlib.Path(synctalk.__file__).parent / 'py.typed').exists(),"
        " sorted(d.name for d in m.distributions() if d.name.startswith('synctalk')))"
    )

    assert run(python, "-c", look).strip() == "True ['synctalk-client']"
