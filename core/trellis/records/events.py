"""The typed events that plugins receive around a write."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from trellis.edition import Edition
    from trellis.security.actor import Actor

FOLLOWED = "trellis_followed"
"""In the info of a session that has written what somebody outside is told of."""

MERGING = "trellis_merging"
"""In the info of a session while a merge points references to another record: what is meant stays the same."""

Action = Literal["created", "updated", "deleted", "restored", "erased"]


@dataclass(frozen=True, slots=True)
class Beside:
    """A row of a table that is no entity, to be written together with a new record, whose id goes into ``id_column``."""

    table: sa.Table
    id_column: str
    row: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class BeforeSave:
    """One record before it is written. ``values`` may be changed; ``before`` is empty for a new record.

    Both map field names (as in REST) to Python values; ``values`` holds only what is written. ``id`` is None for a new
    record; rows that are to be written with it go into ``beside``. Of records that are written together each is asked about
    before any of them is in the database: what one must have for itself is noted in ``taken``, which they share.
    """

    entity: str
    action: Action
    values: dict[str, Any]
    before: Mapping[str, Any]
    session: Session
    edition: Edition
    actor: Actor
    id: int | None = None
    beside: list[Beside] = field(default_factory=list)
    taken: set[Hashable] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The record that has a unique value already, for the words in which that is told (``Field.taken``).

    ``values`` holds what the reader may see of it: nothing where it is out of sight.
    """

    edition: Edition
    values: Mapping[str, Any] = field(default_factory=dict)
    in_bin: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one record: ``changes`` maps field to (old, new) as JSON values.

    A record is ``erased`` when personal data was taken out of it: the fields are named, without what they held.
    """

    id: int
    action: Action
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Saved:
    """Records of one entity that were written in one transaction."""

    entity: str
    changes: tuple[Change, ...]
    session: Session
    edition: Edition
    actor: Actor

    @property
    def ids(self) -> list[int]:
        """The ids of the records written."""
        return [change.id for change in self.changes]


@dataclass(frozen=True, kw_only=True)
class SegmentEntered:
    """Records entered a segment. Who they are is found out when it is asked for; ``ids`` are in order."""

    segment: str
    session: Session
    edition: Edition
    find: Callable[[], Sequence[int]]

    @property
    def ids(self) -> Sequence[int]:
        """The ids of those who entered."""
        return self.find()


ENTERED, LEFT = "segment.entered", "segment.left"
"""Actions of the event log beside those of writes: a record came into a segment, or went out of it."""
