"""The push stand-in's side of things: the keys that the notifier uses while there are none of Firebase."""

import subprocess
import sys
from pathlib import Path


def credentials_file(data: Path) -> Path:
    return data / "fcm" / "service-account.json"


def vapid_key_file(data: Path) -> Path:
    return data / "fcm" / "vapid.pem"


def write_credentials(path: Path, vapid_key: Path, url: str) -> None:
    """Have the stand-in write an account that points to it and a key for Web Push, unless there are such."""
    if path.exists() and f"{url}/token" in path.read_text() and vapid_key.exists():
        return
    given = [str(path), "--url", url, "--vapid-key", str(vapid_key)]
    command = [sys.executable, "-m", "synctalk_fcm", "credentials", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The push stand-in's credentials could not be written: {done.stderr.strip()}")
