"""All entities searched at once, in one statement: of each its best records, and the entity with the best one first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Direction
from trellis.records.joins import Joins, source, table_of
from trellis.search import vocabulary
from trellis.search.asked import Asked
from trellis.search.matching import found, searchable
from trellis.search.words import words

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView
    from trellis.security.actor import Actor

LOOKED_AT = 100
"""Of how many records of an entity, and as many with its words whole, the best are chosen."""

ENOUGH = 1_000
"""Of so many hits of its index; all, where the actor does not reach all records."""

_WHOLE, _BEGUN = 0, 1
_DAILY = (Direction.CUSTOMERS, Direction.SALES, Direction.SERVICE, Direction.PRODUCTS)
"""Of entities that fit alike those of daily work come first."""


@dataclass(frozen=True)
class Hit:
    """One record that was found."""

    entity: str
    id: int
    title: str


@dataclass(frozen=True)
class Found:
    """The records of one entity, the best first; ``more`` says that there are others."""

    entity: str
    hits: Sequence[Hit]
    more: bool


def search(
    session: Session,
    edition: Edition,
    actor: Actor,
    text: str,
    *,
    each: int = 5,
    entities: Collection[str] | None = None,
) -> list[Found]:
    """What the actor may read and has all words of ``text``: ``each`` records of an entity, maybe of some ``entities``.

    Raises RuleInvalid for a text that cannot be searched for.
    """
    asked = Asked.checked(text)
    if asked is None:
        return []
    seen = actor.sees(edition)
    views = [
        view
        for view in seen.entities.values()
        if (entities is None or view.name in entities)
        and actor.may(view.name, "read")
        and view.info.title_field in view.fields
        and searchable(view)
    ]
    rows = _rows(session, seen, actor, views, asked)
    if not rows:
        loose = vocabulary.loosened(session, asked)
        rows = _rows(session, seen, actor, views, loose) if loose else []
    return _ranked(views, rows, asked, each)


def _rows(
    session: Session, edition: Edition, actor: Actor, views: Sequence[EntityView], asked: Asked
) -> Sequence[Any]:
    """Rows of the place of an entity in ``views``, id, title, and how the words fit."""
    fits = [(_BEGUN, asked)] if asked.loose else [(_WHOLE, replace(asked, whole=True)), (_BEGUN, asked)]
    arms = [
        _arm(edition, actor, view, place, fit, one) for place, view in enumerate(views) for fit, one in fits
    ]
    return session.execute(sa.union_all(*arms)).all() if arms else []


def _arm(
    edition: Edition, actor: Actor, view: EntityView, place: int, fit: int, asked: Asked
) -> sa.Select[Any]:
    root = source(view.entity)
    joins = Joins(root, view, edition, actor)
    title = sa.cast(joins.title(()), sa.String)
    columns: list[Any] = [
        sa.literal(place).label("place"),
        root.id,
        title.label("title"),
        sa.literal(fit).label("fit"),
    ]
    statement = sa.select(*columns).select_from(table_of(root))
    reaches_all = actor.sees_all(view.name)
    matches = found(asked, view, edition.whole.entity(view.name), most=ENOUGH if reaches_all else 0)
    limited = (
        joins.add_to(statement)
        .where(root.deleted_at.is_(None), actor.visible(root), matches)
        .limit(LOOKED_AT)
    )
    return sa.select(limited.subquery())  # SQLite takes no LIMIT inside a union


def _ranked(views: Sequence[EntityView], rows: Sequence[Any], asked: Asked, each: int) -> list[Found]:
    best: dict[tuple[int, int], tuple[Any, ...]] = {}
    for place, record_id, title, fit in rows:
        rank = (*_rank(title or "", asked.words), fit, len(title or ""), title or "", record_id)
        best[place, record_id] = min(rank, best.get((place, record_id), rank))
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for (place, _id), rank in best.items():
        groups.setdefault(place, []).append(rank)
    for ranks in groups.values():
        ranks.sort()
    ordered = sorted(groups, key=lambda place: (groups[place][0][0], _daily(views[place]), place))
    return [_found(views[place], groups[place], each) for place in ordered]


def _rank(title: str, asked: Sequence[str]) -> tuple[int, int]:
    """A name that is what was typed, or begins so, or has its words, goes before a record that has them elsewhere."""
    known = words(title)
    if known[: len(asked)] == list(asked):
        return (0, len(known) - len(asked))
    if " ".join(known).startswith(" ".join(asked)):
        return (1, 0)
    named = sum(any(one.startswith(word) for one in known) for word in asked)
    return (2, len(asked) - named)


def _daily(view: EntityView) -> int:
    return _DAILY.index(Direction(view.info.direction)) if view.info.direction in _DAILY else len(_DAILY)


def _found(view: EntityView, ranks: Sequence[tuple[Any, ...]], each: int) -> Found:
    hits = [Hit(view.name, rank[-1], rank[-2] or f"#{rank[-1]}") for rank in ranks[:each]]
    return Found(view.name, hits, len(ranks) > each)
