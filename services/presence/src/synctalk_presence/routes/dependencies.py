"""The dependencies of the endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from synctalk_runtime.service import injected

from synctalk_presence.actions.reading import Reading
from synctalk_presence.actions.writing import Writing


@dataclass(frozen=True, slots=True)
class Services:
    reading: Reading
    writing: Writing
    max_leases_per_report: int


ServicesDep = Annotated[Services, Depends(injected)]
