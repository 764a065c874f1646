"""The lifecycle of products (PR2): a stage is proposed by the sales trend, and confirmed by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Level, Lifecycle, Stage
from trellis.crm.products.entities import LIFE, Product
from trellis.i18n import Text, translator
from trellis.records.bulk import among
from trellis.records.door import Records, Write
from trellis.records.events import BeforeSave

_ = translator("trellis")

CELL = Cell(Direction.PRODUCTS, Level.TACTICS, "PR2")
FIELD = "life_stage"
INTRODUCTION, GROWTH, MATURITY, DECLINE, WITHDRAWN = (one.value for one in LIFE)
TITLES: Mapping[str, Text] = {one.value: one.label for one in LIFE}
LIFECYCLE = Lifecycle(
    name="product_life",
    title=_("Product lifecycle"),
    cell=CELL,
    entity="product",
    field=FIELD,
    stages=tuple(
        Stage(
            value=one.value,
            title=one.label,
            kind="done" if one.value == WITHDRAWN else "open",
            tone=one.tone,
        )
        for one in LIFE
    ),
)


def follow(event: BeforeSave) -> None:
    """Keeps since when a product is in its stage."""
    if FIELD in event.values and event.values[FIELD] != event.before.get(FIELD):
        event.values["stage_since"] = datetime.now(UTC)


def confirm(records: Records, ids: Sequence[int]) -> int:
    """Moves products to the stages that are proposed for them; how many moved. Raises PermissionRefused, BatchInvalid."""
    records.actor.require("product", "update")
    query = sa.select(Product.id, Product.proposed_stage).where(
        among(records.session, Product.id, ids or [0]),
        Product.deleted_at.is_(None),
        Product.proposed_stage.is_not(None),
        Product.proposed_stage.is_distinct_from(Product.life_stage),
        records.actor.visible(Product, "update"),
    )
    writes = [Write(id=row[0], values={FIELD: row[1]}) for row in records.session.execute(query)]
    records.save("product", writes)
    return len(writes)
