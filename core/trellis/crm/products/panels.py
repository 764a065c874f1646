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

MOST, DEEPEST = 300, 12
"""Categories that are drawn, and levels of them."""


def tree(records: Records, category: int) -> Mapping[str, Any]:
    """The way down to a category, and all below it, each with its products and those of its parts."""
    actor, session = records.actor, records.session
    inside = branch(records.edition, actor, "category", category)
    wanted = sa.select(Category.id, Category.name, Category.parent_id).where(Category.id.in_(inside))
    found = {row.id: row for row in session.execute(wanted.order_by(Category.name, Category.id))}
    parts: dict[int | None, list[int]] = {}
    for row in found.values():
        if row.id != category:
            parts.setdefault(row.parent_id, []).append(row.id)
    levels = [[category]]
    while below := [part for one in levels[-1] for part in parts.get(one, ())]:
        levels.append(below)
    counts = _products(records, inside)
    for one in (one for level in levels[:0:-1] for one in level):
        above = found[one].parent_id
        counts[above] = counts.get(above, 0) + counts.get(one, 0)
    base = f"/{records.edition.workspace}"
    nodes: dict[int, dict[str, Any]] = {}
    drawn = [one for level in levels[:DEEPEST] for one in level][:MOST]
    for one in reversed(drawn):
        inner = [nodes[part] for part in parts.get(one, ()) if part in nodes]
        nodes[one] = _node(found[one], counts.get(one, 0), inner, base)
    return {
        "above": _above(records, found[category].parent_id, base),
        "top": nodes[category],
        "counts": actor.may("product", "read"),
        "more": len(drawn) < len(found),
    }


def _products(records: Records, inside: sa.Select[Any]) -> dict[int, int]:
    """How many products each of the categories has itself."""
    if not records.actor.may("product", "read"):
        return {}
    seen = (Product.category_id.in_(inside), Product.deleted_at.is_(None), records.actor.visible(Product))
    counted = sa.select(Product.category_id, sa.func.count()).where(*seen).group_by(Product.category_id)
    return {row[0]: row[1] for row in records.session.execute(counted) if row[0] is not None}


def _node(row: Any, count: int, parts: list[dict[str, Any]], base: str) -> dict[str, Any]:
    rule = json.dumps({"field": "category", "op": "within", "value": row.id})
    return {
        "title": row.name,
        "url": f"{base}/category/{row.id}",
        "products": format_number(count),
        "products_url": f"{base}/product?{urlencode({'filter': rule})}",
        "parts": parts,
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
