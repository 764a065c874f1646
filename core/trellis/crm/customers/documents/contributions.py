"""What document templates bring to customers."""

from __future__ import annotations

from trellis.crm.customers.documents.checking import check
from trellis.crm.customers.documents.entities import TEMPLATE, DocumentTemplate
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [DocumentTemplate]


@hookimpl
@concerns(TEMPLATE)
def trellis_before_save(event: BeforeSave) -> None:
    check(event)
