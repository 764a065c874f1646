"""Event logs: rows that share their key are one record, with the stages that they tell of as its history.

What follows from the stages (when it was answered, solved, how long it waited) is what the lifecycle replays; its changes
stand in the log of the workspace at the moments at which they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Lifecycle
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.importer.existing import Draft
from trellis.records.importer.mapping import Mapping
from trellis.records.importer.named import Named
from trellis.records.importer.readers import Row
from trellis.records.importer.stages import stages
from trellis.records.journal import EVENTS, signed
from trellis.records.types import DateTime, ValueInvalid
from trellis.system import Event

_ = translator("trellis")

_MOMENT = DateTime()
_AT_ONCE = 1000
_SOURCE = "import"


def gathered(
    mapping: Mapping, rows: Iterable[Row], draft_of: Callable[[Row, int], Draft | None]
) -> list[Draft]:
    """The records of a log, in the order in which they first stand in it. ``draft_of`` deals with rows that give none."""
    found: dict[Any, Draft] = {}
    for place, row in enumerate(rows, start=1):
        draft = draft_of(row, place)
        if draft is not None:
            join(found.setdefault(draft.key, draft), draft)
    return [ordered(one) for one in found.values()]


def join(known: Draft, draft: Draft) -> None:
    """Adds what a row says to the record that it belongs to."""
    if known is not draft:
        known.steps += draft.steps
        known.place = draft.place


def ordered(draft: Draft) -> Draft:
    """A record with its steps in the order of time; of what rows say of it otherwise, the latest holds."""
    draft.steps.sort(key=lambda one: one[0])
    draft.values = {}
    for _at, _stage, values in draft.steps:
        draft.values |= values
    return draft


def take_step(mapping: Mapping, draft: Draft) -> None:
    """Reads from a row when its record reached which stage. Raises RecordInvalid that names the field."""
    lifecycle = _lifecycle(mapping)
    values = dict(draft.values)
    at, stage = values.pop(lifecycle.at, None), values.pop(lifecycle.field, None)
    errors: dict[str, list[Any]] = {}
    moment: datetime | None = None
    try:
        moment = _MOMENT.check(at)
    except ValueInvalid as error:
        errors[lifecycle.at] = [error.message]
    if moment is None and not errors:
        errors[lifecycle.at] = [_("This field needs a value")]
    known = stages([lifecycle], mapping.states)
    meant = known.get(str(stage or "").strip().casefold())
    if meant is None:
        titles = ", ".join(str(one.title) for one in lifecycle.stages)
        text = _(
            "“%(value)s” is no stage; say which it means. There are: %(known)s",
            value=stage or "",
            known=titles,
        )
        errors[lifecycle.field] = [text]
    if errors or moment is None or meant is None:
        raise RecordInvalid(errors)
    draft.steps = [(moment, meant, values)]


def replay(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> None:
    """Gives drafts what follows from their steps: fields that people write, and those that Trellis alone keeps."""
    lifecycle, fields = _lifecycle(mapping), mapping.view.fields
    assert lifecycle.replay is not None
    title = mapping.view.info.title_field
    for draft in drafts:
        if title not in draft.values and draft.id is None and fields[title].required:
            draft.values[title] = f"{mapping.view.info.title} {draft.key}"
        steps = [(moment, stage) for moment, stage, _values in draft.steps]
        told = lifecycle.replay(records.session, draft.values, steps)
        draft.kept = dict(told)


def keep_history(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> None:
    """Writes the changes of stage into the log, at their moments; those that an earlier import wrote are left."""
    field = _lifecycle(mapping).field
    there = _there(records, mapping, [one.id for one in drafts if one.id is not None])
    common = signed(records.actor, mapping.view.name)
    rows = []
    for draft in drafts:
        before = None
        for moment, stage, values in draft.steps:
            change = (draft.id, moment, stage)
            if stage != before and before is not None and there[change]:
                there[change] -= 1
            elif stage != before and before is not None:
                by = values.get("owner")
                name = {"actor_id": None, "actor_name": by.name[:200]} if isinstance(by, Named) else {}
                row = {"record_id": draft.id, "action": "updated", "changes": {field: [before, stage]}}
                rows.append({**common, **name, **row, "at": moment, "source": _SOURCE})
            before = stage
    for first in range(0, len(rows), _AT_ONCE):
        records.session.execute(sa.insert(EVENTS), rows[first : first + _AT_ONCE])


def _there(
    records: Records, mapping: Mapping, ids: Sequence[int]
) -> Counter[tuple[int | None, datetime, str]]:
    """The changes of stage that are in the log for these records; a log without seconds has some at the same moment."""
    field = _lifecycle(mapping).field
    found: Counter[tuple[int | None, datetime, str]] = Counter()
    for first in range(0, len(ids), _AT_ONCE):
        query = sa.select(Event.record_id, Event.at, Event.changes).where(
            Event.entity == mapping.view.name,
            Event.record_id.in_(ids[first : first + _AT_ONCE]),
            Event.action == "updated",
            Event.source == _SOURCE,
        )
        for record_id, at, changes in records.session.execute(query):
            if field in changes:
                found[record_id, at, changes[field][1]] += 1
    return found


def _lifecycle(mapping: Mapping) -> Lifecycle:
    assert mapping.log is not None
    return mapping.log
