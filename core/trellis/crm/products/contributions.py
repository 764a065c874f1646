"""What the core brings to products."""

from __future__ import annotations

from trellis.crm.products.entities import Category, Product
from trellis.hookspecs import hookimpl
from trellis.records.entity import Entity


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Product, Category]
