"""What one party writes, the other reads as the same, though it may know more or less fields."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError
from synctalk_contracts import registry
from synctalk_contracts.base import Contract
from synctalk_contracts.compatibility import schema_of
from synctalk_contracts.envelope import Envelope, read_envelopes, write_envelopes
from synctalk_contracts.sockets import TO_SERVER, ToServer

SHAPES = registry.schemas()
BUILT_BY_US = {name: model for name, model in SHAPES.items() if issubclass(model, Contract)}
ValuesOf = Callable[[dict[str, Any]], st.SearchStrategy[Any]]
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(("name", "model"), BUILT_BY_US.items(), ids=BUILT_BY_US.keys())
def test_contract__written_and_read__is_the_same_and_as_its_schema_says(
    name: str, model: type[Contract], values_of: ValuesOf
) -> None:
    schema = schema_of(model)
    validator = Draft202012Validator(schema)

    @quick
    @given(values_of(schema))
    def check(value: Any) -> None:
        built = model.model_validate_json(json.dumps(value))
        written = built.to_bytes()
        validator.validate(json.loads(written))
        assert model.from_bytes(written) == built

    check()


@pytest.mark.parametrize(("name", "model"), BUILT_BY_US.items(), ids=BUILT_BY_US.keys())
def test_contract__written_by_a_newer_version__is_read_without_the_new_fields(
    name: str, model: type[Contract], values_of: ValuesOf
) -> None:
    @quick
    @given(values_of(schema_of(model)))
    def check(value: Any) -> None:
        built = model.model_validate_json(json.dumps(value))
        newer = json.dumps(_with_a_new_field(json.loads(built.to_bytes()), schema_of(model)))
        assert model.from_bytes(newer) == built

    check()


def _with_a_new_field(value: Any, schema: dict[str, Any]) -> Any:
    """A field more on the outermost object, and on every object in its lists that is a shape of its own."""
    newer = dict(value, field_of_the_future={"a": [1]})
    for name, field in schema.get("properties", {}).items():
        if "$ref" in field.get("items", {}) and isinstance(value.get(name), list):
            newer[name] = [
                dict(item, field_of_the_future=None) if isinstance(item, dict) else item for item in value[name]
            ]
    return newer


@pytest.mark.parametrize(("name", "model"), BUILT_BY_US.items(), ids=BUILT_BY_US.keys())
def test_contract__built_with_an_unknown_field__is_refused(name: str, model: type[Contract]) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        model.model_validate({"field_of_the_future": 1})


@pytest.mark.parametrize("payload", TO_SERVER.values(), ids=TO_SERVER.keys())
def test_to_server__as_its_schema_says__is_taken(payload: type[ToServer], values_of: ValuesOf) -> None:
    @quick
    @given(values_of(schema_of(payload)))
    def check(value: Any) -> None:
        payload.model_validate(json.loads(json.dumps(value)))

    check()


@pytest.mark.parametrize("payload", TO_SERVER.values(), ids=TO_SERVER.keys())
def test_to_server__anything_else__is_refused_as_invalid_and_nothing_worse(payload: type[ToServer]) -> None:
    names = st.sampled_from([*payload.model_fields, "other"])
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.just("\ud800"),
        st.just("a\0b"),
        st.just(2**70),
    )
    nested = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=6
    )

    @quick
    @given(st.one_of(nested, st.dictionaries(names, nested, max_size=5)))
    def check(value: Any) -> None:
        try:
            taken = payload.model_validate(value)
        except ValidationError:
            return
        taken.model_dump_json().encode()  # whatever is taken can be written down

    check()


@pytest.mark.parametrize("event", registry.EVENTS.values(), ids=registry.EVENTS.keys())
def test_event__in_an_envelope__comes_back(event: type[Any], values_of: ValuesOf) -> None:
    @quick
    @given(values_of(schema_of(event)), values_of(schema_of(Envelope)))
    def check(payload: Any, around: Any) -> None:
        sent = event.model_validate_json(json.dumps(payload))
        body = {**around, "type": event.type_name(), "payload": json.loads(sent.to_bytes())}
        envelope = Envelope.model_validate_json(json.dumps(body))
        (received,) = read_envelopes(write_envelopes([envelope]))
        assert received == envelope
        assert registry.parse(received) == sent

    check()


def test_parse__a_type_of_the_future__is_recognized() -> None:
    envelope = Envelope.model_validate(
        {
            "id": "0" * 8 + "-0000-7000-8000-" + "0" * 12,
            "type": "moon.landed.v1",
            "time": "2026-01-01T00:00:00Z",
            "payload": {},
        }
    )

    with pytest.raises(registry.UnknownEventError):
        registry.parse(envelope)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"[{}]", b"\xff\xfe", b"[" * 10_000], ids=repr)
def test_read_envelopes__not_an_array_of_envelopes__is_a_validation_error(data: bytes) -> None:
    with pytest.raises(ValidationError):
        read_envelopes(data)


def test_every_shape__is_a_model_of_pydantic() -> None:
    assert all(issubclass(model, BaseModel) for model in SHAPES.values())
