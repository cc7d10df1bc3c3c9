"""The push stand-in's side of things: the service account that the notifier uses while there is none of Firebase."""

import subprocess
import sys
from pathlib import Path


def credentials_file(data: Path) -> Path:
    return data / "fcm" / "service-account.json"


def write_credentials(path: Path, url: str) -> None:
    """Have the stand-in write an account that points to it, unless there is one."""
    if path.exists() and f"{url}/token" in path.read_text():
        return
    command = [sys.executable, "-m", "synctalk_fcm", "credentials", str(path), "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The push stand-in's credentials could not be written: {done.stderr.strip()}")
