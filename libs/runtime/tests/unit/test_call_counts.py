import os
import pstats
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synctalk_runtime import call_counts


@pytest.fixture(autouse=True)
def _handler_as_before() -> Iterator[None]:
    before = signal.getsignal(call_counts.TOGGLE)
    yield
    signal.signal(call_counts.TOGGLE, before)


def counted() -> None:
    """Something to count."""


def test_setup__with_a_folder__counts_between_two_signals(make_settings: Any, tmp_path: Path) -> None:
    call_counts.setup(make_settings(instance="test-1", call_counts_dir=tmp_path))
    counted()
    for _ in range(2):
        os.kill(os.getpid(), call_counts.TOGGLE)
        for _ in range(3):
            counted()
    stats: dict[tuple[str, int, str], tuple[int, ...]] = vars(pstats.Stats(str(tmp_path / "test-1.pstats")))["stats"]
    assert {name: calls for (_, _, name), (_, calls, *_) in stats.items()}["counted"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["test-1.pstats"]


def test_setup__without_a_folder__handles_no_signal(make_settings: Any) -> None:
    before = signal.getsignal(call_counts.TOGGLE)
    call_counts.setup(make_settings())
    assert signal.getsignal(call_counts.TOGGLE) is before
