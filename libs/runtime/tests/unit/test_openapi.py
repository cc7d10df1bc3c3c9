"""The declared error responses of endpoints."""

from synctalk_contracts.errors import ErrorBody, ErrorCode
from synctalk_runtime.openapi import BEARER, BODY, refusals


def test_refusals__codes_of_one_status__share_a_response() -> None:
    declared = refusals(*BEARER, ErrorCode.NOT_FOUND)

    assert declared == {
        401: {"model": ErrorBody, "description": "`unauthenticated` · `token_expired`"},
        404: {"model": ErrorBody, "description": "`not_found`"},
        503: {"model": ErrorBody, "description": "`unavailable`"},
    }


def test_refusals__code_given_twice__is_named_once() -> None:
    assert refusals(*BODY, ErrorCode.INVALID)[422]["description"] == "`invalid`"


def test_refusals__without_descriptions__has_only_the_body() -> None:
    assert refusals(describe=None) == {503: {"model": ErrorBody}}
