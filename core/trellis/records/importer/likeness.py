"""Rows of an import that look like a record there is: by mail address, telephone number and name, a batch at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from trellis.edition import EntityView
from trellis.errors import Message
from trellis.i18n import translator
from trellis.quality.duplicates import (
    BY_MAIL,
    BY_PHONE,
    SAME_NAME,
    Likeness,
    comparable,
    compared,
    digits_of,
    fields_of,
    likeness,
    plain_name,
)
from trellis.records.door import Records
from trellis.records.importer.existing import Draft
from trellis.records.importer.mapping import Mapping
from trellis.records.importer.plans import LEAVE
from trellis.records.query import ListQuery, Record
from trellis.records.types import Email, Phone
from trellis.search.asked import Alternative, Asked
from trellis.search.matching import found

_ = translator("trellis")

AT_ONCE = 200
"""Rows that are looked for by one query."""
CANDIDATES = 20
"""Records taken of each row, where a name is common."""
NAMED = 3
"""Records that are named in a reason."""


@dataclass(frozen=True)
class _AnyOf:
    """Several things asked for at once, any of which will do."""

    asks: Sequence[Asked]
    words: tuple[str, ...] = ("any",)
    digits: str = ""

    def tokens(self) -> list[list[list[Alternative]]]:
        return [whole for one in self.asks for whole in one.tokens()]

    def fts(self) -> str:
        return " OR ".join(one.fts() for one in self.asks)

    def forms(self) -> str:
        return "/".join(one.forms() for one in self.asks)


def settle(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> dict[int, Message]:
    """Does with drafts that look like a record what the mapping says: the positions of those left out, with the reason.

    A draft that is to change the one record it looks like gets the id of that, and one that looks like a new record of an
    earlier draft goes ``into`` that. Two queries for every :data:`AT_ONCE` rows.
    """
    if not mapping.alike or not comparable(mapping.view):
        return {}
    refused: dict[int, Message] = {}
    taken = {draft.id for draft in drafts if draft.id is not None}
    for index, alike in _alike(records, mapping, drafts):
        draft = drafts[index]
        if mapping.alike == LEAVE or len(alike) > 1:
            refused[index] = _told(mapping.view, alike)
        elif alike[0].record.id in taken:
            refused[index] = _(
                "Another row of the file is the record %(record)s already",
                record=_named(mapping.view, alike[0]),
            )
        else:
            _change(mapping, draft, alike[0].record)
            taken.add(alike[0].record.id)
    new = [index for index, draft in enumerate(drafts) if draft.id is None and index not in refused]
    return refused | _settle_twins(mapping, drafts, new)


def _settle_twins(mapping: Mapping, drafts: Sequence[Draft], new: Sequence[int]) -> dict[int, Message]:
    """Does the same with new drafts that have the mail address, telephone number or name of an earlier one."""
    refused: dict[int, Message] = {}
    first: dict[tuple[Message, str], Draft] = {}
    for at in new:
        draft = drafts[at]
        marks = list(_marks(mapping.view, draft.values))
        twins = {id(first[one]): first[one] for one in marks if one in first}
        if not twins:
            first |= dict.fromkeys(marks, draft)
        elif mapping.alike == LEAVE or len(twins) > 1:
            rows = ", ".join(str(one.row.number) for one in twins.values())
            reasons = ", ".join(dict.fromkeys(str(one[0]) for one in marks if one in first))
            refused[at] = _("Looks like row %(rows)s of the file (%(reasons)s)", rows=rows, reasons=reasons)
        else:
            draft.into = next(iter(twins.values()))
            if mapping.key is not None:
                draft.values.pop(mapping.key, None)
            draft.into.take(draft)
            first |= {one: draft.into for one in marks if one not in first}
    return refused


def _marks(view: EntityView, values: dict[str, Any]) -> Iterator[tuple[Message, str]]:
    """What tells that two rows are of one record, each with its reason."""
    mails = (str(values.get(one.name) or "").lower() for one in fields_of(view, Email))
    phones = (digits_of(values.get(one.name)) for one in fields_of(view, Phone))
    names = (plain_name(values.get(view.info.title_field)),)
    for reason, texts in ((BY_MAIL, mails), (BY_PHONE, phones), (SAME_NAME, names)):
        yield from ((reason, one) for one in texts if one)


def _change(mapping: Mapping, draft: Draft, record: Record) -> None:
    """Lets a draft change a record, which keeps its own key."""
    draft.id = record.id
    if mapping.key is not None and record.values.get(mapping.key) is not None:
        draft.values.pop(mapping.key, None)


def _alike(
    records: Records, mapping: Mapping, drafts: Sequence[Draft]
) -> Iterator[tuple[int, list[Likeness]]]:
    """The positions of new drafts that look like records, with these, the likeliest first."""
    new = [(index, draft) for index, draft in enumerate(drafts) if draft.id is None]
    for start in range(0, len(new), AT_ONCE):
        some = new[start : start + AT_ONCE]
        index = _Index(mapping.view, _candidates(records, mapping, [draft for _at, draft in some]))
        for at, draft in some:
            like = [likeness(mapping.view, draft.values, one) for one in index.near(draft.values)]
            certain = sorted(
                (one for one in like if one.reasons), key=lambda one: (-one.score, one.record.id)
            )
            if certain:
                yield at, certain


def _candidates(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> Sequence[Record]:
    view = mapping.view
    asks = [one for draft in drafts for one in _asks(view, draft.values)]
    if not asks:
        return ()
    whole = records.edition.whole.entity(view.name)
    query = ListQuery(view, records.edition, records.actor)
    has = found(cast(Asked, _AnyOf(asks)), view, whole)
    ids = records.session.scalars(
        query.selecting(lambda joins: [joins.root.id.label("id")]).where(has).limit(CANDIDATES * len(drafts))
    ).all()
    fields = list(
        dict.fromkeys(
            [*compared(view), *(one for one in (mapping.key,) if one is not None and one in view.fields)]
        )
    )
    page = ListQuery(view, records.edition, records.actor, ids=ids, fields=fields, limit=len(ids)).page(
        records.session
    )
    return page.items


def _asks(view: EntityView, values: dict[str, Any]) -> Iterator[Asked]:
    """What finds the records that a draft may be: all words of its mail address, the end of its number, its name."""
    texts = [str(values.get(one.name) or "") for one in fields_of(view, Email) if one.searchable]
    texts += [digits_of(values.get(one.name)) for one in fields_of(view, Phone) if one.searchable]
    texts.append(plain_name(values.get(view.info.title_field)))
    for text in texts:
        asked = Asked.of(text)
        if asked.words or asked.digits:
            yield Asked(asked.words, asked.digits, whole=True)


class _Index:
    """Candidates by what a draft can have in common with them."""

    def __init__(self, view: EntityView, candidates: Sequence[Record]) -> None:
        self._view = view
        self._by: dict[str, dict[int, Record]] = defaultdict(dict)
        for record in candidates:
            for key in self._keys(record.values):
                self._by[key][record.id] = record

    def near(self, values: dict[str, Any]) -> list[Record]:
        """The candidates that share a mail address, the end of a number or a word of the name."""
        near: dict[int, Record] = {}
        for key in self._keys(values):
            near |= self._by.get(key, {})
        return list(near.values())

    def _keys(self, values: dict[str, Any]) -> Iterator[str]:
        for mail in fields_of(self._view, Email):
            yield f"mail {str(values.get(mail.name) or '').lower()}"
        for phone in fields_of(self._view, Phone):
            yield f"phone {digits_of(values.get(phone.name))}"
        yield from plain_name(values.get(self._view.info.title_field)).split()


def _told(view: EntityView, alike: Sequence[Likeness]) -> Message:
    names = ", ".join(_named(view, one) for one in alike[:NAMED])
    reasons = ", ".join(dict.fromkeys(str(reason) for one in alike[:NAMED] for reason in one.reasons))
    return _("Looks like %(records)s (%(reasons)s)", records=names, reasons=reasons)


def _named(view: EntityView, alike: Likeness) -> str:
    return f"“{alike.record.values.get(view.info.title_field)}” (#{alike.record.id})"
