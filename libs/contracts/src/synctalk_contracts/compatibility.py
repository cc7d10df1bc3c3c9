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
    """What a party with the old schema could not live with; empty when the change may stay in its version."""
    found = _compare("", old, new)
    definitions = new.get("$defs", {})
    for name, definition in old.get("$defs", {}).items():
        if name in definitions:
            found += _compare(f"{name}", definition, definitions[name])
        else:
            found.append(f"{name} is gone")
    return found


def _compare(where: str, old: Schema, new: Schema) -> list[str]:
    found = []
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    found += [f"field {where}.{name} was removed" for name in old_fields.keys() - new_fields.keys()]
    # For what we build, "required" only says that it is always there: a new field may be.
    if new.get("additionalProperties") is False:
        added = set(new.get("required", [])) - set(old.get("required", []))
        found += [f"field {where}.{name} became required" for name in added & old_fields.keys()]
        found += [
            f"field {where}.{name} was added without a default"
            for name in added - old_fields.keys()
            if "default" not in new_fields[name]
        ]
    for name in old_fields.keys() & new_fields.keys():
        if _shape(old_fields[name]) != _shape(new_fields[name]):
            found.append(f"field {where}.{name} changed its type or bounds")
    if "enum" in old and set(old["enum"]) != set(new.get("enum", [])):
        found.append(f"{where} changed its values")
    return found


def _shape(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key not in ("description", "title", "default", "examples")}
