"""Makes `.venv` with everything in it, from nothing but Python 3.11 or later: `python3 deploy/local/bootstrap.py`.

uv does the work: the one on the path if it is new enough, else one that is fetched from PyPI into `.venv-tools`.
Nothing here imports anything but the standard library, and nothing is installed outside the checkout (but python3-venv,
by root, where Debian left it out).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "uv.lock"
TOOLS = CHECKOUT / ".venv-tools"
UV_VERSION = "0.13.9"
LEAST_UV = (0, 7)  # the first that reads a lock file without the address of a registry


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before anything has checked the version
        sys.exit(f"SyncTalk needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    forget_registry(LOCK)
    sync = [_uv(), "sync", "--quiet", "--frozen", "--all-packages"]
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(CHECKOUT / ".venv")}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(sync, cwd=CHECKOUT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit("The Python packages could not be installed; the reason is above.")
    (CHECKOUT / ".venv" / ".synced").touch()


def forget_registry(lock: Path) -> None:
    """Empty the address of the registry that `uv add` and `uv lock` wrote: everybody installs from their own index."""
    written = lock.read_text()
    portable = re.sub(r'registry = "[^"]*"', 'registry = ""', written)
    if portable != written:
        lock.write_text(portable)


def _uv() -> str:
    found = shutil.which("uv")
    if found and _version(found) >= LEAST_UV:
        return found
    uv = TOOLS / "bin" / "uv"
    if not uv.exists():
        print(f"Fetching uv {UV_VERSION} into {TOOLS.name} …", flush=True)
        _make_venv()
        install = [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"]
        if subprocess.run(install, check=False).returncode != 0:
            sys.exit("uv could not be installed from PyPI; the reason is above.")
    return str(uv)


def _version(uv: str) -> tuple[int, ...]:
    """Of `uv 0.13.9 (…)`; nothing where it says something else."""
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"(\d+)\.(\d+)", said)
    return tuple(map(int, numbers.groups())) if numbers else ()


def _make_venv() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(TOOLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {package} by apt …", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False, stdout=subprocess.DEVNULL)
        if subprocess.run(command, check=False).returncode == 0:
            return
    sys.exit(f"This Python has no venv module that works: install it (on Debian: sudo apt install {package}).")


if __name__ == "__main__":
    main()
