"""Values of every published shape, drawn from its JSON Schema: what the schema allows, the model must take."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

Schema = dict[str, Any]

_LETTERS = 'abc xyz ÄÖ 日本語 עברית 👩‍💻 " \\ / \n <&>'
_TEXT = st.text(alphabet=st.sampled_from(_LETTERS))


@pytest.fixture(scope="session")
def values_of() -> Callable[[Schema], st.SearchStrategy[Any]]:
    """A strategy for JSON values of a schema."""
    return lambda schema: _values_of(schema, schema.get("$defs", {}))


def _values_of(schema: Schema, definitions: Schema, name: str = "") -> st.SearchStrategy[Any]:
    """A strategy for JSON values of the schema; `name` is the field's, for texts with a rule beyond the schema."""
    if "$ref" in schema:
        return st.deferred(lambda: _values_of(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions))
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return st.one_of([_values_of(choice, definitions, name) for choice in schema[union]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _of_type(schema, definitions, name)


def _of_type(schema: Schema, definitions: Schema, name: str) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "string":
            return _text(schema, name)
        case "array":
            return st.lists(
                _values_of(schema["items"], definitions),
                max_size=min(3, schema.get("maxItems", 3)),
                unique=schema.get("uniqueItems", False),
            )
        case "object":
            return (_object if "properties" in schema else _map)(schema, definitions)
        case "integer":
            return st.integers(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1))
        case kind:
            return _SIMPLE[kind]


_SIMPLE: dict[str | None, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    None: st.one_of(st.none(), st.integers(-5, 5), _TEXT),
}


def _object(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    required, optional = {}, {}
    for name, field in schema["properties"].items():
        if name in schema.get("required", []) or "const" in field:  # a const distinguishes a union's members
            required[name] = _values_of(field, definitions, name)
        else:
            optional[name] = _values_of(_given(field), definitions, name)
    if {"body", "forward"} <= optional.keys():  # a message has one of them
        return st.sampled_from(["body", "forward"]).flatmap(
            lambda name: st.fixed_dictionaries(
                required | {name: optional[name].filter(bool)},
                optional=_without(optional, "body", "forward", *(["file_ids"] if name == "forward" else [])),
            ).map(_also_shown_only_in_threads)
        )
    return st.fixed_dictionaries(required, optional=optional)


def _also_shown_only_in_threads(message: dict[str, Any]) -> dict[str, Any]:
    return message if "thread_id" in message else message | {"also_in_conversation": False}


def _without(fields: dict[str, st.SearchStrategy[Any]], *names: str) -> dict[str, st.SearchStrategy[Any]]:
    return {field: values for field, values in fields.items() if field not in names}


def _given(field: Schema) -> Schema:
    """An optional field when it is not left out: null often stands for nothing but that."""
    choices = [choice for choice in field.get("anyOf", []) if choice.get("type") != "null"]
    return {**field, "anyOf": choices} if choices else field


def _map(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    if "patternProperties" in schema:
        ((pattern, content),) = schema["patternProperties"].items()
        keys = _text({"pattern": pattern}, "")
    else:
        content = schema.get("additionalProperties", {})
        keys = _values_of({"type": "string"} | schema.get("propertyNames", {}), definitions)
    return st.dictionaries(keys, _values_of(content if isinstance(content, dict) else {}, definitions), max_size=3)


def _text(schema: Schema, name: str) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda t: f"{t.isoformat(timespec='milliseconds')}Z")
    if "[0-9a-fA-F]{8}" in schema.get("pattern", ""):
        return st.uuids().map(str)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].removesuffix("$") + r"\Z")
    if name == "emoji":
        return st.sampled_from(["👍", "❤️", "🇺🇳", "1️⃣", "ℹ️", "🩷", "👩‍💻"])
    if name in ("custom_status", "text"):
        return st.sampled_from(["", "xyz", "日本語", "עברית", "Ä 👩‍💻"])
    texts = st.text(
        alphabet=st.sampled_from(_LETTERS),
        min_size=schema.get("minLength", 0),
        max_size=min(40, schema.get("maxLength", 40)),
    )
    must_show = schema.get("minLength") or (name == "body" and "maxLength" in schema)
    return texts.filter(lambda drawn: drawn.strip(" \n\u200d")) if must_show else texts
