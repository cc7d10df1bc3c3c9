"""One base class, two faces."""

import inspect

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from synctalk_contracts.errors import STATUS, ErrorBody
from synctalk_runtime import errors
from synctalk_runtime.errors import AppError, InvalidError, RateLimitedError, UnavailableError

CLASSES = [
    cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, AppError) and cls is not AppError
]


@pytest.mark.parametrize("cls", CLASSES)
def test_error__of_each_class__has_a_code_a_status_and_words(cls: type[AppError]) -> None:
    error = cls()

    assert error.status == STATUS[cls.code]
    assert ErrorBody.model_validate(error.body()).error.code == cls.code
    assert error.body()["error"]["message"].endswith(".")


def test_body__without_details__leaves_them_out() -> None:
    assert RateLimitedError().body()["error"].keys() == {"code", "message"}
    assert UnavailableError().body()["error"]["retry_after"] == 1.0


def test_invalid__of_one_field__names_it() -> None:
    assert InvalidError.of("title", "is needed").body()["error"]["details"] == [
        {"field": "title", "message": "is needed"}
    ]


def test_invalid__from_validation__names_nested_fields_and_not_their_values() -> None:
    class Inner(BaseModel):
        model_config = ConfigDict(extra="forbid")
        n: int

    class Outer(BaseModel):
        body: list[Inner]

    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"body": [{"n": "a secret"}]})

    body = InvalidError.from_validation(raised.value).body()
    assert body["error"]["details"][0]["field"] == "body.0.n"
    assert "a secret" not in str(body)
