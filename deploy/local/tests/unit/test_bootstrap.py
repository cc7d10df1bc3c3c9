"""What `make setup` does before anything is installed."""

import runpy
from pathlib import Path

BOOTSTRAP = runpy.run_path(str(Path(__file__).parents[2] / "bootstrap.py"))


def test_forget_registry__a_package_was_added__the_lock_names_no_registry(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text('source = { registry = "an index" }\nsource = { registry = "" }\n')
    BOOTSTRAP["forget_registry"](lock)
    assert lock.read_text() == 'source = { registry = "" }\n' * 2


def test_forget_registry__nothing_was_added__the_lock_is_not_written(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text('source = { registry = "" }\n')
    lock.chmod(0o444)
    before = lock.stat().st_mtime_ns
    BOOTSTRAP["forget_registry"](lock)
    assert lock.stat().st_mtime_ns == before
