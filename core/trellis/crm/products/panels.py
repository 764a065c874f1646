"""Beside a category: where it stands in the tree, and how many products are in it and in each part of it (PR1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.products.entities import Category, Product
from trellis.i18n import format_number, translator
from trellis.records.door import Records
from trellis.records.trees import branch

_ = translator("trellis")

MOST = 300
"""Categories that are drawn."""


def tree(records: Records, category: int) -> Mapping[str, Any]:
    """The way down to a category, and all below it, each with its products and those of its parts."""
    actor, session = records.actor, records.session
    inside = branch(records.edition, actor, "category", category)
    wanted = sa.select(Category.id, Category.name, Category.parent_id).where(Category.id.in_(inside))
    found = session.execute(wanted.order_by(Category.name, Category.id).limit(MOST + 1)).all()
    products: dict[int, int] = {}
    if actor.may("product", "read"):
        seen = (Product.category_id.in_(inside), Product.deleted_at.is_(None), actor.visible(Product))
        counted = sa.select(Product.category_id, sa.func.count()).where(*seen).group_by(Product.category_id)
        products = {row[0]: row[1] for row in session.execute(counted) if row[0] is not None}
    parts: dict[int | None, list[Any]] = {}
    for row in found[:MOST]:
        parts.setdefault(row.parent_id, []).append(row)
    base = f"/{records.edition.workspace}"

    def node(row: Any, passed: frozenset[int]) -> dict[str, Any]:
        below = [node(one, passed | {row.id}) for one in parts.get(row.id, ()) if one.id not in passed]
        count = products.get(row.id, 0) + sum(one["count"] for one in below)
        rule = json.dumps({"field": "category", "op": "within", "value": row.id})
        return {
            "title": row.name,
            "url": f"{base}/category/{row.id}",
            "count": count,
            "products": format_number(count),
            "products_url": f"{base}/product?{urlencode({'filter': rule})}",
            "parts": below,
        }

    top = next(row for row in found if row.id == category)
    return {
        "above": _above(records, top.parent_id, base),
        "top": node(top, frozenset({category})),
        "counts": actor.may("product", "read"),
        "more": len(found) > MOST,
    }


def _above(records: Records, parent: int | None, base: str) -> list[dict[str, str]]:
    """The categories that one is a part of, the highest first."""
    found: dict[int, dict[str, str]] = {}
    seen = (Category.deleted_at.is_(None), records.actor.visible(Category))
    while parent is not None and parent not in found:
        query = sa.select(Category.name, Category.parent_id).where(Category.id == parent, *seen)
        row = records.session.execute(query).one_or_none()
        if row is None:
            break
        found[parent] = {"title": row.name, "url": f"{base}/category/{parent}"}
        parent = row.parent_id
    return list(found.values())[::-1]


PANELS = [
    Panel(
        name="category_tree",
        title=_("Place in the tree"),
        cell=Cell(Direction.PRODUCTS, Level.STRATEGY, "PR1"),
        entity="category",
        load=tree,
        template="products/tree.html",
    )
]
