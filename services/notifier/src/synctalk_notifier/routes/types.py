"""The query parameter `types`: one name after another, apart by commas, or the parameter several times."""

from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints
from synctalk_runtime.errors import InvalidError

TypesQuery = Annotated[
    list[Annotated[str, StringConstraints(max_length=1000)]] | None,
    Query(max_length=50, description="Only events of these types, apart by commas."),
]


def types_of(given: list[str] | None, known: type[StrEnum]) -> list[str]:
    """Return the types; empty: all. Raises InvalidError for an unknown one."""
    types = [name.strip() for text in given or () for name in text.split(",")]
    for name in types:
        if name not in list(known):
            raise InvalidError.of("types", f"must be of {', '.join(known)}")
    return list(dict.fromkeys(types))
