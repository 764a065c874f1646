"""What the core brings to service."""

from __future__ import annotations

from trellis.crm.service.entities import Activity
from trellis.hookspecs import hookimpl
from trellis.records.entity import Entity


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Activity]
