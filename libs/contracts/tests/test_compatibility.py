"""Each kind of change that an old party could not live with is caught, and nothing else is."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from synctalk_contracts.base import Contract
from synctalk_contracts.compatibility import incompatibilities, schema_of
from synctalk_contracts.models import Role


class Inner(Contract):
    n: int


class Old(Contract):
    text: str
    number: Annotated[int, Field(ge=0, le=10)]
    choice: Literal["a", "b"]
    role: Role
    inner: Inner
    items: list[Inner]
    maybe: str | None = None


OLD = schema_of(Old)


def _changed(name: str, field: tuple[Any, Any] | None) -> dict[str, Any]:
    """The schema of `Old` with one field replaced, added or (None) removed."""
    fields: dict[str, Any] = {
        key: (info.annotation if not info.metadata else Annotated[info.annotation, *info.metadata], info.default)
        for key, info in Old.model_fields.items()
    }
    fields = {
        key: (kind, ... if repr(default) == "PydanticUndefined" else default) for key, (kind, default) in fields.items()
    }
    fields.pop(name, None)
    if field is not None:
        fields[name] = field
    from pydantic import create_model

    return schema_of(create_model("Old", __base__=Contract, **fields))


def test_change__none__is_compatible() -> None:
    assert incompatibilities(OLD, schema_of(Old)) == []
    assert incompatibilities(OLD, _changed("text", (str, ...))) == []


@pytest.mark.parametrize(
    "field",
    [(str | None, None), (int, 3), (list[Inner], Field(default_factory=list))],
    ids=["nullable", "with a default", "with a factory"],
)
def test_change__an_optional_field_more__is_compatible(field: tuple[Any, Any]) -> None:
    assert incompatibilities(OLD, _changed("extra", field)) == []


@pytest.mark.parametrize(
    ("name", "field", "problem"),
    [
        ("text", None, "field .text was removed"),
        ("maybe", None, "field .maybe was removed"),
        ("extra", (str, ...), "field .extra was added without a default"),
        ("extra", (str | None, ...), "field .extra was added without a default"),
        ("maybe", (str | None, ...), "field .maybe became required"),
        ("text", (str, "x"), "field .text is no longer always there"),
        ("text", (int, ...), "field .text changed its type or bounds"),
        ("text", (str | None, ...), "field .text changed its type or bounds"),
        ("text", (Annotated[str, Field(max_length=5)], ...), "field .text changed its type or bounds"),
        ("number", (Annotated[int, Field(ge=0, le=9)], ...), "field .number changed its type or bounds"),
        ("number", (Annotated[int, Field(ge=0, le=11)], ...), "field .number changed its type or bounds"),
        ("choice", (Literal["a", "b", "c"], ...), "field .choice changed its type or bounds"),
        ("choice", (Literal["a"], ...), "field .choice changed its type or bounds"),
        ("items", (list[str], ...), "field .items changed its type or bounds"),
        ("inner", (list[Inner], ...), "field .inner changed its type or bounds"),
    ],
)
def test_change__of_a_field__is_caught(name: str, field: tuple[Any, Any] | None, problem: str) -> None:
    assert incompatibilities(OLD, _changed(name, field)) == [problem]


def test_change__inside_a_nested_shape__is_caught() -> None:
    new = schema_of(Old)
    new["$defs"]["Inner"]["properties"]["n"]["type"] = "string"

    assert incompatibilities(OLD, new) == ["field Inner.n changed its type or bounds"]


def test_change__a_nested_shape_gone__is_caught() -> None:
    new = schema_of(Old)
    del new["$defs"]["Inner"]

    assert incompatibilities(OLD, new) == ["Inner is gone"]


def test_change__a_value_that_may_come_later__is_compatible() -> None:
    old = schema_of(Old)
    old["$defs"]["Role"]["enum"].remove("moderator")

    assert incompatibilities(old, schema_of(Old)) == []


@pytest.mark.parametrize("values", [["owner", "admin"], ["owner", "admin", "member", "guest"]], ids=["less", "more"])
def test_change__of_an_enumeration__is_caught(values: list[str]) -> None:
    new = schema_of(Old)
    new["$defs"]["Role"]["enum"] = values

    assert incompatibilities(OLD, new) == ["Role changed its values"]


def test_change__a_shape_becomes_another_thing__is_caught() -> None:
    new = schema_of(Old)
    new["$defs"]["Role"] |= {"type": "integer"}

    assert incompatibilities(OLD, new) == ["Role changed its type or bounds"]


def test_change__of_words_only__is_compatible() -> None:
    new = schema_of(Old)
    new["description"] = new["properties"]["text"]["description"] = "Said in other words."

    assert incompatibilities(OLD, new) == []


@pytest.mark.parametrize(
    ("name", "field", "problems"),
    [
        ("maybe", (str | Inner | None, None), []),
        ("text", (str | bool, ...), []),
        ("text", (str, "x"), []),
        ("text", (bool, ...), ["field .text changed its type or bounds"]),
        ("maybe", (Inner | None, None), ["field .maybe changed its type or bounds"]),
    ],
)
def test_change__a_further_form_of_what_clients_send__is_compatible(
    name: str, field: tuple[Any, Any], problems: list[str]
) -> None:
    assert incompatibilities(OLD, _changed(name, field), from_client=True) == problems


def test_change__a_field_that_clients_may_leave_out_now__is_compatible() -> None:
    new = OLD | {"required": [name for name in OLD["required"] if name != "text"]}

    assert incompatibilities(OLD, new) == ["field .text is no longer always there"]
    assert incompatibilities(OLD, new, from_client=True) == []


def test_change__a_least_length_less_of_what_clients_send__is_compatible() -> None:
    old = schema_of(Old)
    old["properties"]["text"] |= {"minLength": 1}

    assert incompatibilities(old, OLD, from_client=True) == []
    assert incompatibilities(OLD, old, from_client=True) == ["field .text changed its type or bounds"]
    assert incompatibilities(old, OLD) == ["field .text changed its type or bounds"]
