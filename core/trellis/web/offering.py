"""Names that a text field offers while one types."""

from __future__ import annotations

from flask import g

from trellis.records.query import ListQuery

MOST = 100


def offered_names(entity: str) -> list[str]:
    """The names of the records of an entity, those that are active where it says so; none where the reader sees none."""
    view = g.edition.entities.get(entity)
    if view is None or not g.actor.may(entity, "read"):
        return []
    title = view.info.title_field
    rule = {"field": "active", "op": "eq", "value": True} if "active" in view.fields else None
    query = ListQuery(view, g.edition, g.actor, rule=rule, sort=(title,), fields=[title], limit=MOST)
    return [one.values[title] for one in query.page(g.session).items if one.values.get(title)]
