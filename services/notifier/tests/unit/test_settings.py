"""Wrong settings stop the start with a sentence."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from synctalk_fcm.credentials import write_vapid_key
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.previewing import link_previews
from synctalk_notifier.settings import Settings
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service
from synctalk_runtime.settings import explain

NEEDED = {
    "internal_secret": "0123456789abcdef",
    "redis_url": "redis://127.0.0.1/0",
    "rabbitmq_url": "amqp://127.0.0.1",
    "database_url": "postgresql://127.0.0.1/notifier",
}


def said(path: Path) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings(**NEEDED, fcm_credentials_file=path)  # type: ignore[arg-type]
    return explain(refused.value)


def test_credentials__missing_or_wrong__is_said_plainly(tmp_path: Path) -> None:
    wrong, other = tmp_path / "wrong.json", tmp_path / "other.json"
    wrong.write_text("{")
    other.write_text(json.dumps({"type": "authorized_user"}))
    assert "cannot be read (No such file or directory)" in said(tmp_path / "none.json")
    assert "is not a JSON file" in said(wrong)
    assert "is not a Firebase service account" in said(other)


def test_fcm_url__in_production__is_refused() -> None:
    problems = Settings(**NEEDED, fcm_url="http://stand-in").production_problems()  # type: ignore[arg-type]

    assert [problem for problem in problems if "SYNCTALK_FCM_URL" in problem]
    assert not [p for p in Settings(**NEEDED).production_problems() if "SYNCTALK_FCM_URL" in p]  # type: ignore[arg-type]


def test_vapid_key__missing_or_wrong__is_said_plainly(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("-----BEGIN PRIVATE KEY-----")
    for path, problem in ((tmp_path / "none.pem", "cannot be read"), (wrong, "on the curve P-256")):
        with pytest.raises(ValidationError) as refused:
            Settings(**NEEDED, vapid_key_file=path)  # type: ignore[arg-type]
        assert problem in explain(refused.value)
    assert Settings(**NEEDED, vapid_key_file="", web_push_stand_in_url="").vapid_key_file is None  # type: ignore[arg-type]


def test_web_push__in_production__wants_a_reachable_operator_and_no_stand_in(tmp_path: Path) -> None:
    key = tmp_path / "vapid.pem"
    write_vapid_key(key)
    given = Settings(**NEEDED, vapid_key_file=key, web_push_stand_in_url="http://stand-in")  # type: ignore[arg-type]
    named = Settings(**NEEDED, vapid_key_file=key, vapid_subject="mailto:it@example.com")  # type: ignore[arg-type]

    for name, problems in (("WEB_PUSH_STAND_IN_URL", 1), ("VAPID_SUBJECT", 1)):
        assert len([problem for problem in given.production_problems() if name in problem]) == problems
        assert not [problem for problem in named.production_problems() if name in problem]


def test_lease__shorter_than_a_try__is_said_plainly() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**NEEDED, push_lease_s=20, fcm_timeout_s=10)  # type: ignore[arg-type]
    assert "SYNCTALK_PUSH_LEASE_S" in explain(refused.value)


def test_credentials__none__push_is_off() -> None:
    assert Settings(**NEEDED).fcm_credentials_file is None  # type: ignore[arg-type]
    assert Settings(**NEEDED, fcm_credentials_file="").fcm_credentials_file is None  # type: ignore[arg-type]


@pytest.mark.parametrize("agent", ["", "two\r\nX-Header: lines", "ü", "a" * 201])
def test_user_agent__that_no_header_can_have__is_refused(agent: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**NEEDED, link_preview_user_agent=agent)  # type: ignore[arg-type]


def test_link_previews__switched_off__run_nothing() -> None:
    settings = Settings(**NEEDED, link_previews="off")  # type: ignore[arg-type]
    service = Service(settings)
    upstreams = Upstreams(service.upstream(settings.api_url), service.upstream(settings.presence_url))

    assert link_previews(service, settings, Postgres(settings), upstreams) is None
