"""Settings that would not work are refused at the start; the list of common passwords is one."""

import orjson
import pytest
from pydantic import ValidationError
from synctalk_auth import rules
from synctalk_auth.common_passwords import common_passwords
from synctalk_auth.settings import Settings
from synctalk_runtime.settings import explain

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


ISSUER = {"issuer": "host", "audience": "chat", "algorithms": ["HS256"], "shared_secret": "s" * 32}
BY_URL = {"issuer": "host", "audience": "chat", "algorithms": ["RS256"], "jwks_url": "https://example.org/keys"}


@pytest.mark.parametrize(
    ("issuers", "why"),
    [
        ("no json", "must be a JSON list"),
        ('{"issuer": "x"}', "tuple"),
        ([ISSUER | {"jwks_url": "https://example.org"}], "exactly one of"),
        ([{k: v for k, v in ISSUER.items() if k != "shared_secret"}], "exactly one of"),
        ([ISSUER | {"shared_secret": "s" * 31}], "32 bytes"),
        ([ISSUER | {"algorithms": ["RS256"]}], "don't go with"),
        ([ISSUER | {"algorithms": ["none"]}], "don't go with"),
        ([ISSUER | {"algorithms": []}], "at least 1"),
        ([ISSUER | {"nonsense": 1}], "not permitted"),
        ([BY_URL | {"algorithms": ["HS256"]}], "don't go with"),
        ([BY_URL | {"jwks_url": "http://example.org/keys"}], "must be https"),
        ([BY_URL | {"jwks_url": "http://127.0.0.1.example.org/keys"}], "must be https"),
        ([BY_URL | {"jwks_url": "file:///etc/passwd"}], "must be https"),
        ([BY_URL | {"jwks_url": None, "public_keys": ["no key"]}], "PUBLIC_KEYS"),
        ([BY_URL | {"jwks_url": None, "public_keys": [{"kty": "oct", "k": "c2VjcmV0"}]}], "public keys only"),
        ([BY_URL, ISSUER | {"external_id_prefix": "x:"}], "there twice"),
        ([BY_URL, ISSUER | {"issuer": "another"}], "would be mixed up"),
        ([BY_URL | {"issuer": "synctalk"}], "SYNCTALK_TOKEN_ISSUER"),
    ],
)
def test_settings__issuers_that_cannot_be_trusted__are_refused_with_a_sentence(issuers: object, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(NEEDED | {"trusted_issuers": issuers})

    sentence = explain(refused.value)
    assert why in sentence
    assert "s" * 31 not in sentence


def test_settings__issuers_as_json__are_read() -> None:
    settings = Settings.model_validate(NEEDED | {"trusted_issuers": orjson.dumps([BY_URL]).decode()})
    assert settings.trusted_issuers[0].jwks_url == "https://example.org/keys"


def test_settings__needed_ones_alone__are_enough() -> None:
    assert Settings.model_validate(NEEDED).access_token_ttl_s == 900


def test_settings__in_production_without_a_passphrase__are_refused() -> None:
    problems = Settings.model_validate(NEEDED).production_problems()

    assert [problem for problem in problems if "SIGNING_KEY_PASSPHRASE" in problem]
    kept = Settings.model_validate(NEEDED | {"signing_key_passphrase": "a passphrase of some length"})
    assert len(kept.production_problems()) == len(problems) - 1


def test_common_passwords__the_bundled_list__holds_what_everybody_tries() -> None:
    common = common_passwords()

    assert len(common) >= 1000
    assert {"password", "12345678", "qwerty123", "iloveyou", "passw0rd"} <= common
    assert all(len(password) >= rules.MIN_PASSWORD_CHARS for password in common)


PROVIDER = {"id": "acme", "name": "Acme", "issuer": "https://login.example.org", "client_id": "chat"}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"oidc_providers": "no json"}, "must be a JSON list"),
        ({"oidc_providers": [PROVIDER | {"issuer": "http://login.example.org"}]}, "must be https"),
        ({"oidc_providers": [PROVIDER | {"id": "a/b"}]}, "pattern"),
        ({"oidc_providers": [PROVIDER | {"algorithms": ["HS256"]}]}, "can't be used"),
        ({"oidc_providers": [PROVIDER | {"algorithms": ["none"]}]}, "can't be used"),
        ({"oidc_providers": [PROVIDER | {"scopes": ["profile"]}]}, "scope openid"),
        ({"oidc_providers": [PROVIDER, PROVIDER]}, "there twice"),
        ({"oidc_providers": [PROVIDER | {"external_id_prefix": ""}], "trusted_issuers": [BY_URL]}, "would be mixed up"),
        ({"public_url": "https://chat.example.org/"}, "must be an origin"),
        ({"public_url": "http://chat.example.org"}, "must be an origin"),
    ],
)
def test_oidc__that_can_not_be_distinguished_or_is_not_safe__is_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings.model_validate(NEEDED | settings)


def test_oidc__prefix__is_the_id_and_a_colon_by_default() -> None:
    settings = Settings.model_validate(NEEDED | {"oidc_providers": [PROVIDER], "trusted_issuers": [BY_URL]})
    assert [provider.prefix for provider in settings.oidc_providers] == ["acme:"]


def test_oidc__in_production_without_a_public_url__is_a_problem() -> None:
    settings = Settings.model_validate(NEEDED | {"oidc_providers": [PROVIDER]})
    assert any("SYNCTALK_PUBLIC_URL" in problem for problem in settings.production_problems())
