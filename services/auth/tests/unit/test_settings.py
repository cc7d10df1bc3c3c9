"""Settings that would not work are refused at the start; the list of common passwords is one."""

import pytest
from pydantic import ValidationError
from synctalk_auth import rules
from synctalk_auth.main import _common_passwords
from synctalk_auth.settings import Settings

NEEDED = {
    "internal_secret": "a secret of some length",
    "redis_url": "redis://127.0.0.1:1",
    "rabbitmq_url": "amqp://127.0.0.1:1",
    "database_url": "postgresql://127.0.0.1:1/none",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"key_publish_ahead_s": 7200, "key_rotation_s": 3600},
        {"key_publish_ahead_s": 10},
        {"access_token_ttl_s": 3600},
        {"signing_key_passphrase": "short"},
        {"hash_threads": 0},
    ],
)
def test_settings__that_cannot_work__are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(NEEDED | wrong)


def test_settings__needed_ones_alone__are_enough() -> None:
    assert Settings.model_validate(NEEDED).access_token_ttl_s == 900


def test_settings__in_production_without_a_passphrase__are_refused() -> None:
    problems = Settings.model_validate(NEEDED).production_problems()

    assert [problem for problem in problems if "SIGNING_KEY_PASSPHRASE" in problem]
    kept = Settings.model_validate(NEEDED | {"signing_key_passphrase": "a passphrase of some length"})
    assert len(kept.production_problems()) == len(problems) - 1


def test_common_passwords__the_bundled_list__holds_what_everybody_tries() -> None:
    common = _common_passwords()

    assert len(common) >= 1000
    assert {"password", "12345678", "qwerty123", "iloveyou", "passw0rd"} <= common
    assert all(len(password) >= rules.MIN_PASSWORD_CHARS for password in common)
