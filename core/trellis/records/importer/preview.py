"""The first rows of a file, and those of totals at its end, as the import would take them, with what is wrong beside each cell. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid, TrellisError
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed
from trellis.records.importer import logs
from trellis.records.importer.existing import Draft
from trellis.records.importer.mapping import Mapping, compiled
from trellis.records.importer.named import Named
from trellis.records.importer.plans import Plan
from trellis.records.importer.readers import Row, open_source
from trellis.records.importer.saving import Reasons, draft_of, reasons_of, write
from trellis.records.importer.several import tidied
from trellis.security.actor import Actor

ROWS = 12


@dataclass
class PreviewRow:
    """One row: the value of each field as it is written in the file or computed, and the reasons of refusal by field.

    ``becomes`` is new, keyless (new, for its key is empty), changed, left_out, total (left out, for it looks like one), joined (to the row above with the same key) or refused; ``made`` are the fields
    whose record is made for it.
    """

    number: int
    values: Table[str, Any]
    becomes: str = "new"
    errors: Reasons = field(default_factory=dict)
    made: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``fields`` are the columns of ``rows``, by the names of fields: those mapped, then others that lack a value; ``unused`` columns of the file lead nowhere."""

    fields: Sequence[str]
    rows: Sequence[PreviewRow]
    unused: Sequence[str]


class _TakenBack(Exception):
    """Ends the transaction of a preview."""


def preview(
    session: Session,
    edition: Edition,
    actor: Actor,
    entity: str,
    plan: Plan,
    path: Path,
    encoding: str | None,
    totals: Sequence[Row] = (),
) -> Preview:
    """Tries the first rows inside the transaction of ``session``, and takes them back.

    ``totals`` are those at the end of a file of which ``path`` is but the start.

    Raises ImportFailed, MappingInvalid, ExpressionInvalid.
    """
    source = open_source(path, encoding=encoding, **plan.reading)
    mapping = compiled(edition, actor, edition.entity(entity), plan, source)
    rows: list[PreviewRow] = []
    drafts: dict[Any, tuple[Draft, PreviewRow]] = {}
    for place, row in enumerate(islice(source.rows(), ROWS), start=1):
        rows.append(_tried(mapping, row, place, drafts))
    if mapping.log is not None:
        for draft, _shown in drafts.values():
            logs.ordered(draft)
    try:
        with session.begin_nested():
            records = Records(session, edition, replace(actor, source="import"))
            outcome = write(records, mapping, [draft for draft, _row in drafts.values()])
            raise _TakenBack
    except _TakenBack:
        for draft, reasons in outcome.refused:
            shown = drafts[draft.key][1]
            shown.becomes, shown.errors = "refused", reasons
    except TrellisError as error:
        for _draft, shown in drafts.values():
            shown.becomes, shown.errors = "refused", reasons_of(error)
    tried = {shown.number for shown in rows}
    rows += [
        PreviewRow(row.number, _cells(mapping, row), "total")
        for row in totals or source.totals.values()
        if row.number not in tried
    ]
    for draft, shown in drafts.values():
        if draft.into is not None:
            into = drafts[draft.into.key][1]
            shown.becomes = "refused" if into.becomes == "refused" else "joined"
        shown.values = {**shown.values, **{name: None for name in mapping.blank if name not in draft.values}}
        if shown.becomes == "new":
            shown.made = [name for name, value in draft.values.items() if isinstance(value, Named)]
        if draft.id is None and shown.becomes == "new" and draft.keyless and mapping.key is not None:
            shown.becomes = "keyless"
        if draft.id is not None and shown.becomes == "new":
            shown.becomes = "left_out" if mapping.create_only else "changed"
    wrong = (name for shown in rows for name in shown.errors if name in edition.entity(entity).fields)
    fields = list(dict.fromkeys([*(target.name for target in mapping.targets), *wrong]))
    return Preview(fields=fields, rows=rows, unused=mapping.unused)


def _cells(mapping: Mapping, row: Row) -> dict[str, Any]:
    """What the row has for each field, as it is written."""
    return {one.name: row.cells.get(one.source) for one in mapping.targets if isinstance(one.source, str)}


def _tried(mapping: Mapping, row: Row, place: int, drafts: dict[Any, tuple[Draft, PreviewRow]]) -> PreviewRow:
    raw = _cells(mapping, row)
    shown = PreviewRow(row.number, raw)
    try:
        draft = draft_of(mapping, row, place)
        if draft is not None and mapping.log is not None:
            logs.take_step(mapping, draft)
    except ExpressionFailed as error:
        shown.becomes, shown.errors = "refused", {"_record": [str(error)]}
        return shown
    except RecordInvalid as error:
        shown.becomes, shown.errors = "refused", reasons_of(error)
        return shown
    if draft is None:
        shown.becomes = "total" if row.number in mapping.totals else "left_out"
        return shown
    written = {name: value for name, value in raw.items() if value is not None}
    shown.values = {**draft.values, **written, **tidied(mapping.view, draft.values)}
    known = drafts.setdefault(draft.key, (draft, shown))
    if known[0] is not draft:
        shown.becomes = "joined"
    if mapping.log is not None:
        logs.join(known[0], draft)
    return shown
