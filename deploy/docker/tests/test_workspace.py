"""Images are built from the whole workspace's names: uv refuses a lock file whose members it does not find."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_dockerfile__copies_the_project_file_of_every_member() -> None:
    members = set(re.findall(r'source = \{ editable = "(.+?)" \}', (ROOT / "uv.lock").read_text()))
    copied = re.findall(r"^COPY (\S+)/pyproject\.toml", (ROOT / "deploy/docker/service.Dockerfile").read_text(), re.M)

    assert set(copied) == members


def test_dockerignore__lets_every_project_file_through() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    members = re.findall(r'source = \{ editable = "(.+?)" \}', (ROOT / "uv.lock").read_text())

    assert [m for m in members if not any(f"{m}/pyproject.toml".startswith(k.rstrip("/")) for k in kept)] == []
