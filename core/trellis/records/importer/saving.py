"""Rows become records: what a row asks for, and a batch of such drafts saved through the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from trellis.errors import RecordInvalid, TrellisError
from trellis.i18n import translator
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.importer import logs
from trellis.records.importer.existing import Draft, NoKey, find_existing, find_same
from trellis.records.importer.likeness import settle
from trellis.records.importer.making import make_unknown
from trellis.records.importer.mapping import Mapping
from trellis.records.importer.names import find_named
from trellis.records.importer.plans import ID
from trellis.records.importer.readers import Row
from trellis.records.importer.several import write_notes
from trellis.records.types import ValueInvalid

_ = translator("trellis")

Reasons = dict[str, list[str]]


@dataclass
class Outcome:
    """What became of the drafts of one transaction; ``made`` are records that they name, by entity."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[Draft, Reasons]] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)


def draft_of(mapping: Mapping, row: Row, place: int) -> Draft | None:
    """The record that a row asks for; None for a row to leave out. Raises ExpressionFailed, RecordInvalid."""
    if row.number in mapping.totals:
        return None
    if row.problem is not None:
        raise RecordInvalid({"_record": [row.problem]})
    values = mapping.values(row.cells, row.number)
    declared = mapping.key_field
    if values is None:
        return None
    if declared is None:
        return Draft(row, place, values, NoKey(place))
    try:
        key = declared.type.check(values.get(declared.name))
    except ValueInvalid as error:
        raise RecordInvalid({declared.name: [error.message]}) from None
    if key is None and not mapping.keyless:
        raise RecordInvalid({declared.name: [_("The key is empty")]})
    if declared.name == ID:
        values.pop(ID, None)
    return Draft(row, place, values, NoKey(place) if key is None else key)


def write(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> Outcome:
    """Saves drafts; those that are refused are left out, and the others saved without them."""
    outcome = Outcome()
    found_wrong = find_existing(records, mapping, drafts)
    refused = {index: {mapping.key or "_record": [str(reason)]} for index, reason in found_wrong.items()}
    outcome.refused = [(drafts[index], found) for index, found in refused.items()]
    left = [draft for index, draft in enumerate(drafts) if index not in refused]
    nameless = find_named(records, mapping.view.name, left, mapping.make, mapping.blank)
    outcome.refused += [(left[index], reasons_of(RecordInvalid(found))) for index, found in nameless.items()]
    left = [draft for index, draft in enumerate(left) if index not in nameless]
    same = find_same(records, mapping, left)
    outcome.refused += [(left[index], {"_record": [str(reason)]}) for index, reason in same.items()]
    left = [draft for index, draft in enumerate(left) if index not in same]
    if mapping.log is not None:
        logs.replay(records, mapping, left)
    alike = settle(records, mapping, left)
    outcome.refused += [(left[index], {"_record": [str(reason)]}) for index, reason in alike.items()]
    left = [draft for index, draft in enumerate(left) if index not in alike and draft.into is None]
    if mapping.create_only:
        outcome.unchanged = sum(draft.id is not None for draft in left)
        left = [draft for draft in left if draft.id is None]
    write_notes(records, mapping.view, left)
    while left:
        try:
            with (
                records.whole()
            ):  # what a refused batch was numbered by, and what was made for it, is given back
                made = make_unknown(records, mapping.view, left)
                filled = [made.filled(mapping.view, draft.values) for draft in left]
                writes = [
                    Write(id=draft.id, values=values, kept=draft.kept)
                    for draft, values in zip(left, filled, strict=True)
                ]
                ids = records.save(mapping.view.name, writes)
        except BatchInvalid as error:
            outcome.refused += [(left[index], reasons_of(found)) for index, found in error.failures.items()]
            left = [draft for index, draft in enumerate(left) if index not in error.failures]
            continue
        actions = [change.action for change in records.written]
        outcome.created, outcome.updated = actions.count("created"), actions.count("updated")
        outcome.unchanged += len(left) - len(actions)
        outcome.made = made.counts
        if mapping.log is not None:
            for draft, number in zip(left, ids, strict=True):
                draft.id = number
            logs.keep_history(records, mapping, left)
        break
    _count_repeats(outcome, drafts)
    return outcome


def _count_repeats(outcome: Outcome, drafts: Sequence[Draft]) -> None:
    """Counts the rows whose record an earlier row of the batch brought, as if they had come in a later batch."""
    refused = {id(draft) for draft, _reasons in outcome.refused}
    for draft in drafts:
        if id(draft) not in refused:
            for _row, differs in draft.repeats:
                outcome.updated += differs
                outcome.unchanged += not differs


def reasons_of(error: TrellisError) -> Reasons:
    if isinstance(error, RecordInvalid):
        return {name: [str(one) for one in found] for name, found in error.errors.items()}
    return {"_record": [str(error)]}
