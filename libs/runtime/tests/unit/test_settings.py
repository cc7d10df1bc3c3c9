"""Settings come from variables or files; a wrong one is a sentence, a secret is never shown."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from synctalk_runtime.settings import explain, redacted


def test_settings__from_variables__are_read(make_settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCTALK_INSTANCE", "gateway-1")
    monkeypatch.setenv("SYNCTALK_DATABASE_POOL_SIZE", "3")

    settings = make_settings()

    assert (settings.instance, settings.database_pool_size) == ("gateway-1", 3)


def test_settings__a_secret_in_a_file__is_read_without_its_line_end(make_settings: Any, tmp_path: Path) -> None:
    (tmp_path / "synctalk_token_issuer").write_text("from-a-file\n")

    settings = make_settings(_secrets_dir=str(tmp_path))

    assert settings.token_issuer == "from-a-file"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"http_port": 70_000}, "SYNCTALK_HTTP_PORT"),
        ({"internal_secret": "short"}, "SYNCTALK_INTERNAL_SECRET"),
        ({"log_level": "loud"}, "SYNCTALK_LOG_LEVEL"),
        ({"call_timeout_s": 0}, "SYNCTALK_CALL_TIMEOUT_S"),
        ({"trace_ratio": 2}, "SYNCTALK_TRACE_RATIO"),
    ],
)
def test_settings__wrong__say_which_and_not_what(make_settings: Any, given: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        make_settings(**given)

    sentence = explain(raised.value)
    assert sentence.startswith(f"Setting {name}: ")
    assert "short" not in sentence.removeprefix(f"Setting {name}")


def test_settings__printed__show_no_secret(make_settings: Any) -> None:
    settings = make_settings(internal_secret="do-not-show-me-to-anybody")

    shown = f"{redacted(settings)} {settings} {settings!r}"

    assert "do-not-show-me" not in shown
    assert redacted(settings)["internal_secret"] == "**********"
