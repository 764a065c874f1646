"""Rules in words that name the records referred to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trellis.records.mass import titles_of
from trellis.records.rules import Leaf, Node, describe, parse, walk
from trellis.records.types import Reference

if TYPE_CHECKING:
    from trellis.contributions import Rule
    from trellis.edition import EntityView
    from trellis.records.door import Records


def in_words(records: Records, view: EntityView, rule: Rule) -> str:
    """A rule over the records of ``view`` as a phrase; what the reader may not see is called by its number."""
    edition = records.actor.sees(records.edition)
    node = parse(rule, view, edition, listed=True)
    known = {
        (entity, one): title
        for entity, ids in _referred(node).items()
        if records.actor.may(entity, "read")
        for one, title in titles_of(records, entity, sorted(ids)).items()
    }
    return describe(node, edition, lambda entity, one: known.get((entity, one), f"#{one}"))


def _referred(node: Node) -> dict[str, set[int]]:
    """The records that a rule names, by entity."""
    found: dict[str, set[int]] = {}
    for one in walk(node):
        if isinstance(one, Leaf) and isinstance(one.path.field.type, Reference):
            given: Any = one.value if isinstance(one.value, tuple) else (one.value,)
            ids = {each for each in given if isinstance(each, int)}
            if ids:
                found.setdefault(one.path.field.type.entity, set()).update(ids)
    return found
