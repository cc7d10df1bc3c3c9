"""`key`: make a server key on the running system and print it, and nothing else."""

import subprocess

from synctalk_local.processes import services
from synctalk_local.stack import Stack, service_specs, stack_credentials
from synctalk_local.startup.readiness import StartError

MAKER = "auth-1"


def key_arguments(scopes: str | None) -> tuple[str, ...]:
    """Return the arguments of auth's command; without scopes the key has all."""
    return ("keys", "create", "--name", "make key", *(("--scopes", scopes) if scopes else ()))


def key(stack: Stack, scopes: str | None) -> str:
    """Return a new key. Raises StartError with what auth says."""
    spec = next(spec for spec in service_specs(stack, stack_credentials(stack)) if spec.name == MAKER)
    done = subprocess.run(
        (*spec.command, *key_arguments(scopes)),
        env=services.command_environment(spec),
        cwd=spec.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartError(f"No key was made:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
