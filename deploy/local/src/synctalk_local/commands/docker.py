"""The same commands where a Docker engine runs the system: each is one call of `docker compose`.

Requirement: MODE=docker works the same, "with Docker the same columns, host pids".

Which of the two ways a stack went up is remembered in its data folder, so that `ps` and `down` ask the right one.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable

from synctalk_local.commands.key import key_arguments
from synctalk_local.commands.ps import table
from synctalk_local.stack import DEFAULT_EDGE_PORT, Stack, WrongSettingError, remember_counts
from synctalk_local.topology import WITH_DATABASE

ENGINE_TIMEOUT_S = 5
STATES = {"running": "running", "restarting": "starting", "created": "starting", "dead": "failed"}


class DockerError(Exception):
    """`docker compose` failed; its own words are above."""


def is_chosen(stack: Stack, *, starting: bool) -> bool:
    """MODE decides; without it, `up` takes Docker where an engine answers, and the rest follow what `up` did."""
    mode = os.environ.get("MODE", "")
    if mode not in {"", "docker", "local"}:
        raise WrongSettingError(f"MODE must be docker or local, not {mode!r}.")
    remembered = stack.data / "mode"
    if not mode and remembered.exists():
        mode = remembered.read_text().strip()
    chosen = mode == "docker" if mode else starting and _engine_answers(stack)
    if starting:
        stack.data.mkdir(parents=True, exist_ok=True)
        remembered.write_text("docker\n" if chosen else "local\n")
    return chosen


def forget(stack: Stack) -> None:
    """After `down` the next `up` decides anew."""
    (stack.data / "mode").unlink(missing_ok=True)


def up(stack: Stack, say: Callable[[str], None]) -> None:
    say("Starting the containers …")
    remember_counts(stack)
    _make_secrets(stack)
    scales = [argument for name, count in stack.counts.items() for argument in ("--scale", f"{name}={count}")]
    _compose(stack, "up", "-d", "--build", "--wait", "--remove-orphans", *scales)
    say(f"\nSyncTalk runs at {stack.address}")


def down(stack: Stack) -> None:
    _compose(stack, "down", "--remove-orphans")


def clean(stack: Stack) -> None:
    """Remove the containers with their volumes, and the data folder."""
    _compose(stack, "down", "--remove-orphans", "--volumes")
    shutil.rmtree(stack.data, ignore_errors=True)


def logs(stack: Stack, name: str | None) -> None:
    _compose(stack, "logs", "-f", "--tail", "40", *(log_arguments(name) if name else ()))


def log_arguments(name: str) -> tuple[str, ...]:
    """The container of `make ps`'s name: `api-2` is the second of the service `api`."""
    service, _, number = name.partition("-")
    return ("--index", number, service) if number else (service,)


def migrate(stack: Stack) -> None:
    for service in WITH_DATABASE:
        _compose(stack, "run", "--rm", f"{service}-migrate")


def key(stack: Stack, scopes: str | None) -> str:
    """Return a new server key, made in auth's container."""
    command = ("python", "-m", "synctalk_auth", *key_arguments(scopes))
    return _captured(stack, "exec", "-T", "auth", *command).strip()


def ps(stack: Stack) -> str:
    """Show the same columns as without Docker, with the process ids of this host."""
    containers = {}
    for line in _captured(stack, "ps", "--all", "--format", "json").splitlines():
        found = json.loads(line)
        for entry in found if isinstance(found, list) else [found]:
            containers[entry["Name"]] = entry
    project = _environment(stack)["COMPOSE_PROJECT_NAME"]
    return table([_row(name, containers.get(container_name(project, name)), stack) for name in stack.names])


def container_name(project: str, name: str) -> str:
    """What Compose calls the container of a process: also the only one of its service has a number there."""
    return f"{project}-{name}" if name[-1].isdigit() else f"{project}-{name}-1"


def _row(name: str, container: dict[str, str] | None, stack: Stack) -> tuple[str, str, str, str]:
    if container is None:
        return (name, "-", "-", "stopped")
    inspected = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.Pid}}", container["ID"]],
        capture_output=True,
        text=True,
        check=False,
    )
    pid = inspected.stdout.strip()
    port = str(stack.ports.edge) if name == "edge" else "-"
    state = STATES.get(container["State"], "stopped")
    if state == "running" and container.get("Health") == "starting":
        state = "starting"
    return (name, pid if pid not in {"", "0"} else "-", port, state)


def _engine_answers(stack: Stack) -> bool:
    if shutil.which("docker") is None or not (stack.checkout / "docker-compose.yml").exists():
        return False
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=ENGINE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            return False
    return True


def _compose(stack: Stack, *arguments: str) -> None:
    done = subprocess.run(["docker", "compose", *arguments], cwd=stack.checkout, env=_environment(stack), check=False)
    if done.returncode != 0:
        raise DockerError(f"`docker compose {' '.join(arguments)}` failed.")


def _captured(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        ["docker", "compose", *arguments],
        cwd=stack.checkout,
        env=_environment(stack),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DockerError(done.stderr.strip())
    return done.stdout


def _make_secrets(stack: Stack) -> None:
    script = stack.checkout / "deploy/docker/secrets.sh"
    done = subprocess.run([str(script)], env=_environment(stack), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DockerError(done.stderr.strip())


def _environment(stack: Stack) -> dict[str, str]:
    """Stacks on different ports are different projects; with credentials of Firebase, push is real."""
    port = stack.ports.edge
    project = "synctalk" if port == DEFAULT_EDGE_PORT else f"synctalk-{port}"
    given = {"SYNCTALK_PORT": str(port), "COMPOSE_PROJECT_NAME": project}
    if stack.settings.get("SYNCTALK_FCM_CREDENTIALS_FILE"):
        given["COMPOSE_FILE"] = "docker-compose.yml:deploy/docker/firebase.yml"
    return given | os.environ | {"SYNCTALK_PORT": str(port)}
