"""Lists of several values of a field, read one value after the other: open cases by their deadline.

An index by (state, deadline) has the records of each state in order, but not those of several states together: a database reads
and sorts all of them for the first page. Here each state is read up to a page, and the page is put together of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from trellis.records.entity import Field
from trellis.records.keyset import SortKey
from trellis.records.rules import All, Leaf, Node, Operator, Path

MOST = 8
"""With more values a page would take too many statements."""


def branches(rule: Node | None, table: sa.Table, sort: Sequence[tuple[Path, bool]]) -> list[Node]:
    """A rule for each value of the field that an index has in front of the sort; none where the list is read at once."""
    parts = [] if rule is None else list(_parts(rule))
    if not all(_is_own(path) for path, _descending in sort):
        return []
    for place, one in enumerate(parts):
        if isinstance(one, Leaf) and _is_choice(one) and _is_ordered(table, one.path.field, sort[0][0].field):
            values = list(dict.fromkeys(one.value))
            others = parts[:place] + parts[place + 1 :]
            return [All((Leaf(one.path, Operator.EQ, value), *others)) for value in values]
    return []


def put_together(heads: Sequence[sa.Select[Any]], keys: Sequence[SortKey], most: int) -> sa.Select[Any]:
    """The ids of the first records of all branches; ``heads`` are ids and sort keys of the first ones of each."""
    each = sa.union_all(*(sa.select(*head.subquery().c) for head in heads)).subquery()
    first, *rest = each.c
    order = [replace(key, expression=column).order for key, column in zip(keys, rest, strict=True)]
    return sa.select(first).order_by(*order).limit(most)


def _parts(rule: Node) -> Iterator[Node]:
    if isinstance(rule, All):
        for one in rule.rules:
            yield from _parts(one)
    else:
        yield rule


def _is_own(path: Path) -> bool:
    return not (path.hops or path.is_reference or path.field.is_extension)


def _is_choice(leaf: Leaf) -> bool:
    return (
        leaf.operator is Operator.IN
        and 1 < len(leaf.value) <= MOST
        and _is_own(leaf.path)
        and all(isinstance(one, str) for one in leaf.value)
    )


def _is_ordered(table: sa.Table, chosen: Field, sorted_by: Field) -> bool:
    wanted = [chosen.column, sorted_by.column]
    return any([one.name for one in list(index.columns)[:2]] == wanted for index in table.indexes)
