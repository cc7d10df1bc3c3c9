"""Which changes of a published schema break a reader or a writer that still has the old one.

Inside a version only optional fields may be added. Everything else is a new version, sent beside the old for a while.
"""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]


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


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """Return what breaks a party that has the old schema; empty when the change may stay in its version."""
    found = _compare("", old, new)
    definitions = new.get("$defs", {})
    for name, definition in old.get("$defs", {}).items():
        if name in definitions:
            found += _compare(f"{name}", definition, definitions[name])
        else:
            found.append(f"{name} is gone")
    return found


def _compare(where: str, old: Schema, new: Schema) -> list[str]:
    old_fields, new_fields = _fields(old), _fields(new)
    found = [f"field {where}.{name} was removed" for name in sorted(old_fields.keys() - new_fields.keys())]
    found += _compare_required(where, old, new)
    found += [
        f"field {where}.{name} changed its type or bounds"
        for name in old_fields
        if name in new_fields and _shape(old_fields[name]) != _shape(new_fields[name])
    ]
    if set(old.get("enum", [])) != set(new.get("enum", [])):
        found.append(f"{where} changed its values")
    if _frame(old) != _frame(new):
        found.append(f"{where or 'the whole'} changed its type or bounds")
    return found


def _compare_required(where: str, old: Schema, new: Schema) -> list[str]:
    """A new field must have a default, for those who do not send it yet; an old one stays as needed as it was."""
    was, now = set(old.get("required", [])), set(new.get("required", []))
    known = _fields(old).keys()
    found = [f"field {where}.{name} became required" for name in sorted((now - was) & known)]
    found += [f"field {where}.{name} was added without a default" for name in sorted(now - known)]
    found += [f"field {where}.{name} is no longer always there" for name in sorted(was - now) if name in _fields(new)]
    return found


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
