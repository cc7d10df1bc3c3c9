"""What is below aio-pika's public interface is touched in one module."""

from pathlib import Path

import pytest
import synctalk_runtime

SOURCES = sorted(Path(synctalk_runtime.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("word", ["aiormq", "pamqp", "get_underlay_channel", "on_consumer_cancel_callbacks"])
def test_below_aio_pika__used__in_amqp_alone(word: str) -> None:
    assert [source.name for source in SOURCES if word in source.read_text("utf-8")] == ["amqp.py"]
