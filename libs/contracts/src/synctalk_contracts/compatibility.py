"""Which changes of a published schema break a reader or a writer that still has the old one.

Inside a version only optional fields may be added. Everything else is a new version, sent beside the old for a while.
What clients alone send may also gain alternatives, lose a least length and need less, since the server, which reads it,
is newer than they are.
The values of `WIDENED` are the exception: every reader knows them before anybody can write the first.
"""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

WIDENED = {
    "Role": {"moderator"},
    "ErrorCode": {"gone"},
    "CommandRequest.command": {"thread.read.v1", "stream.start.v1", "stream.append.v1", "stream.end.v1"},
    "RoomEvent.event": {
        "conversation:removed",
        "rights:changed",
        "member:replaced",
        "message:ephemeral",
        "thread:changed",
        "thread:updated",
        "message:delta",
    },
}
"""Values that came later into an enumeration; they appear where somebody asks for them, never by an upgrade alone.
Gateways ignore room events that they do not know; api is rolled out before the gateways that send it new commands."""


def schema_of(model: type[BaseModel]) -> Schema:
    """The JSON Schema as it is committed, without field titles."""
    schema = model.model_json_schema(mode="serialization" if _is_built_by_us(model) else "validation")
    cleaned: Schema = _without_field_titles(schema)
    return cleaned


def _is_built_by_us(model: type[BaseModel]) -> bool:
    return not model.model_config.get("strict", False)


def _without_field_titles(node: Any, *, is_property: bool = False) -> Any:
    if isinstance(node, dict):
        return {
            key: {name: _without_field_titles(prop, is_property=True) for name, prop in value.items()}
            if key == "properties"
            else _without_field_titles(value)
            for key, value in node.items()
            if not (is_property and key == "title")
        }
    if isinstance(node, list):
        return [_without_field_titles(item) for item in node]
    return node


def incompatibilities(old: Schema, new: Schema, *, from_client: bool = False) -> list[str]:
    """Return what breaks a party that has the old schema; empty when the change may stay in its version."""
    found = _compare("", old, new, from_client=from_client)
    definitions = new.get("$defs", {})
    for name, definition in old.get("$defs", {}).items():
        if name in definitions:
            found += _compare(f"{name}", definition, definitions[name], from_client=from_client)
        else:
            found.append(f"{name} is gone")
    return found


def _compare(where: str, old: Schema, new: Schema, *, from_client: bool) -> list[str]:
    old_fields, new_fields = _fields(old), _fields(new)
    found = [f"field {where}.{name} was removed" for name in sorted(old_fields.keys() - new_fields.keys())]
    found += _compare_required(where, old, new, from_client=from_client)
    found += [
        f"field {where}.{name} changed its type or bounds"
        for name in old_fields
        if name in new_fields
        and _shape(old_fields[name]) != _shape(new_fields[name])
        and not (from_client and _takes_more(old_fields[name], new_fields[name]))
        and not _widened(f"{where}.{name}", old_fields[name], new_fields[name])
    ]
    was, now = set(old.get("enum", [])), set(new.get("enum", []))
    if was != now and was | WIDENED.get(where, set()) != now:
        found.append(f"{where} changed its values")
    if _frame(old) != _frame(new):
        found.append(f"{where or 'the whole'} changed its type or bounds")
    return found


def _compare_required(where: str, old: Schema, new: Schema, *, from_client: bool) -> list[str]:
    """A new field must have a default, for those who do not send it yet; an old one stays as needed as it was."""
    was, now = set(old.get("required", [])), set(new.get("required", []))
    known = _fields(old).keys()
    found = [f"field {where}.{name} became required" for name in sorted((now - was) & known)]
    found += [f"field {where}.{name} was added without a default" for name in sorted(now - known)]
    if not from_client:
        found += [
            f"field {where}.{name} is no longer always there" for name in sorted(was - now) if name in _fields(new)
        ]
    return found


def _takes_more(old: Schema, new: Schema) -> bool:
    """Return whether everything that the old field takes is among the alternatives of the new one."""
    return all(any(_is_within(choice, other) for other in _alternatives(new)) for choice in _alternatives(old))


def _is_within(old: Schema, new: Schema) -> bool:
    """Return whether the new shape is the old one, or that without its least length."""
    return new in (old, {key: value for key, value in old.items() if key != "minLength"})


def _widened(where: str, old: Schema, new: Schema) -> bool:
    """Return whether the field has gained exactly the values or kinds that are known to have come later."""
    later = WIDENED.get(where, set())
    if "discriminator" in new:
        gone = old["discriminator"]["mapping"].keys() - new["discriminator"]["mapping"].keys()
        return not gone and _without_kinds(_shape(new), later) == _without_kinds(_shape(old), later)
    rest = [{key: value for key, value in _shape(field).items() if key != "enum"} for field in (old, new)]
    return rest[0] == rest[1] and set(old.get("enum", [])) | later == set(new.get("enum", []))


def _without_kinds(field: Schema, later: set[str]) -> Schema:
    """Return a choice by discriminator without these kinds."""
    kinds: dict[str, str] = field["discriminator"]["mapping"]
    gone = {kinds[kind] for kind in later if kind in kinds}
    left = {kind: reference for kind, reference in kinds.items() if kind not in later}
    choices = [choice for choice in field["oneOf"] if choice["$ref"] not in gone]
    return {**field, "discriminator": {**field["discriminator"], "mapping": left}, "oneOf": choices}


def _alternatives(field: Schema) -> list[Schema]:
    choices = field.get("anyOf", []) + field.get("oneOf", [])
    return [flat for choice in choices for flat in _alternatives(choice)] if choices else [_shape(field)]


def _fields(schema: Schema) -> Schema:
    fields: Schema = schema.get("properties", {})
    return fields


_SAYS_NOTHING = ("description", "title", "default", "examples")
_COMPARED_APART = ("properties", "required", "enum", "$defs")


def _shape(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key not in _SAYS_NOTHING}


def _frame(schema: Schema) -> Schema:
    """Return what a schema says beside its fields and values."""
    return {key: value for key, value in _shape(schema).items() if key not in _COMPARED_APART}
