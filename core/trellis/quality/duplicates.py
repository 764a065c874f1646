"""Records that may be the same thing twice: by mail address, telephone number and name, as far as the actor may see.

What is given is looked for with the search index, so that it is quick at any size; the groups of a whole list are found by
the database, which counts equal keys. Similarity of names is the token sort ratio of rapidfuzz (Levenshtein with the words
in order, 0..1) after case, accents, punctuation and legal forms are taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from trellis.edition import Edition, EntityView
from trellis.i18n import Text as Label
from trellis.i18n import translator
from trellis.quality.distinct import number_of, told_apart, without_strangers
from trellis.records.entity import Field
from trellis.records.query import ListQuery, Record
from trellis.records.text import Folded
from trellis.records.types import EXTENSION, Email, Phone, last_digits_of
from trellis.search.words import words
from trellis.security.actor import Actor

_ = translator("trellis")

CANDIDATES = 20
MOST_GROUPS = 50
MOST_IN_GROUP = 10
MOST_STRANGERS = 500
NUMBER = 9
"""The last digits of a telephone number without its extension, in which it does not matter how the country is written."""
SIMILAR = 0.88
SURE = 0.95
"""From this score on two records are taken for one unless somebody says otherwise."""
LEGAL_FORMS = frozenset(
    [
        "ltd",
        "limited",
        "inc",
        "llc",
        "llp",
        "plc",
        "corp",
        "co",
        "gmbh",
        "ag",
        "kg",
        "ohg",
        "ug",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "as",
        "oy",
        "aps",
        "sro",
        "spol",
        "ooo",
        "ооо",
        "оао",
        "зао",
        "пао",
        "ао",
        "ип",
        "тоо",
    ]
)
BY_MAIL, BY_PHONE, BY_NAME = _("same mail address"), _("same telephone number"), _("similar name")
SAME_NAME = _("same name")


class last_digits(sa.sql.functions.GenericFunction[str]):
    """The last digits of a telephone number; NULL when it has fewer."""

    type = sa.String()
    inherit_cache = True


@compiles(last_digits, "sqlite")
def _on_sqlite(element: last_digits, compiler: SQLCompiler, **kw: Any) -> str:
    return f"trellis_last_digits({compiler.process(element.clauses, **kw)}, {NUMBER})"


@compiles(last_digits, "postgresql")
def _on_postgresql(element: last_digits, compiler: SQLCompiler, **kw: Any) -> str:
    dialled = f"regexp_replace({compiler.process(element.clauses, **kw)}, '({EXTENSION}).*$', '', 'i')"
    digits = f"regexp_replace({dialled}, '\\D', '', 'g')"
    return f"CASE WHEN length({digits}) >= {NUMBER} THEN right({digits}, {NUMBER}) END"


@dataclass(frozen=True)
class Likeness:
    """A record that may be the one that is asked for: how sure that is (0..1), and why."""

    record: Record
    score: float
    reasons: Sequence[Label]


@dataclass(frozen=True)
class Group:
    """Records that agree in ``key``, which is why they may be one."""

    reason: Label
    key: str
    records: Sequence[Record]
    count: int


def comparable(view: EntityView) -> bool:
    """Whether records of an entity are people or firms: what has a name, and a mail address or a telephone number."""
    return view.info.title_field not in view.references and bool(fields_of(view, Email, Phone))


def find(
    session: Session,
    edition: Edition,
    actor: Actor,
    entity: str,
    values: Mapping[str, Any],
    besides: int | None = None,
) -> list[Likeness]:
    """Records like one with these values, the likeliest first; ``besides`` is the record itself, and knows strangers."""
    view = edition.entity(entity)
    if not comparable(view) or not actor.may(entity, "read"):
        return []
    others = set() if besides is None else {besides, *told_apart(session, entity, besides)}
    candidates: dict[int, Record] = {}
    for text in _asked(view, values):
        query = ListQuery(view, edition, actor, text=text, fields=compared(view), limit=CANDIDATES)
        candidates |= {one.id: one for one in query.page(session).items if one.id not in others}
    found = [likeness(view, values, one) for one in candidates.values()]
    return sorted((one for one in found if one.reasons), key=lambda one: (-one.score, one.record.id))


def groups(session: Session, edition: Edition, actor: Actor, entity: str) -> list[Group]:
    """Groups of records that agree in mail address, telephone number or name; the largest first, of each kind."""
    view = edition.entity(entity)
    actor.require(entity, "read")
    found: list[Group] = []
    keys = [
        *((BY_MAIL, field.of(view.entity)) for field in fields_of(view, Email)),
        *((BY_PHONE, last_digits(field.of(view.entity))) for field in fields_of(view, Phone)),
    ]
    if view.info.title_field in view.fields and comparable(view):
        title = view.fields[view.info.title_field].of(view.entity)
        keys.append((SAME_NAME, Folded(sa.func.trim(title))))
    seen: set[frozenset[int]] = set()
    for reason, key in keys:
        for group in _agreeing(session, edition, actor, view, reason, key):
            ids = frozenset(one.id for one in group.records)
            if len(ids) > 1 and ids not in seen:
                seen.add(ids)
                found.append(group)
    return found


def _agreeing(
    session: Session, edition: Edition, actor: Actor, view: EntityView, reason: Label, key: Any
) -> list[Group]:
    entity = view.entity
    here = (entity.deleted_at.is_(None), actor.visible(entity), key.is_not(None), key != "")
    number = sa.func.count()
    often = sa.select(key, number).where(*here).group_by(key).having(number > 1)
    most = MOST_GROUPS + min(
        number_of(session, view.name), MOST_STRANGERS
    )  # some groups may be none any more
    counted = dict(map(tuple, session.execute(often.order_by(number.desc(), key).limit(most))))
    if not counted:
        return []
    place = sa.func.row_number().over(partition_by=key, order_by=entity.id)
    inner = sa.select(entity.id.label("id"), key.label("key"), place.label("place")).where(
        *here, key.in_(counted)
    )
    ranked = inner.subquery()
    rows = session.execute(sa.select(ranked.c.id, ranked.c.key).where(ranked.c.place <= MOST_IN_GROUP)).all()
    ids = [row.id for row in rows]
    page = ListQuery(view, edition, actor, ids=ids, fields=compared(view), limit=len(ids)).page(session)
    known = {one.id: one for one in page.items}
    members: dict[str, list[Record]] = {one: [] for one in counted}
    for row in rows:
        if row.id in known:
            members[row.key].append(known[row.id])
    kept = without_strangers(session, view.name, ([one.id for one in found] for found in members.values()))
    agreeing = [
        Group(reason, key, [known[one] for one in ids], number - len(members[key]) + len(ids))
        for (key, number), ids in zip(counted.items(), kept, strict=True)
    ]
    return [one for one in agreeing if one.records][:MOST_GROUPS]


def fields_of(view: EntityView, *kinds: type) -> list[Field]:
    """The fields of an entity of these types."""
    return [field for field in view.fields.values() if isinstance(field.type, kinds)]


def compared(view: EntityView) -> list[str]:
    """The fields by which records are told from each other, by name."""
    named = [
        view.info.title_field,
        view.info.subtitle_field,
        *(one.name for one in fields_of(view, Email, Phone)),
    ]
    return list(dict.fromkeys(name for name in named if name and name in view.fields))


def _asked(view: EntityView, values: Mapping[str, Any]) -> list[str]:
    """The texts to search for: a record is found by any of them."""
    asked = [
        str(values[one.name]) for one in fields_of(view, Email) if values.get(one.name) and one.searchable
    ]
    for one in fields_of(view, Phone):
        digits = digits_of(values.get(one.name))
        if digits and one.searchable:
            asked.append(digits)
    name = plain_name(values.get(view.info.title_field))
    return [*asked, *([name] if len(name) > 2 else [])]


def likeness(view: EntityView, values: Mapping[str, Any], record: Record) -> Likeness:
    """How much a record is like one with these values; without reasons it is not."""
    score = 0.0
    reasons: list[Label] = []
    for one in fields_of(view, Email):
        if values.get(one.name) and str(values[one.name]).lower() == record.values.get(one.name):
            score, reasons = max(score, SURE), [*reasons, BY_MAIL]
    for one in fields_of(view, Phone):
        digits = digits_of(values.get(one.name))
        if digits and digits == digits_of(record.values.get(one.name)):
            score, reasons = max(score, 0.85), [*reasons, BY_PHONE]
    names = [plain_name(given.get(view.info.title_field)) for given in (values, record.values)]
    alike = fuzz.token_sort_ratio(*names) / 100 if all(names) else 0.0
    if alike >= SIMILAR:
        score, reasons = max(score, 0.7 * alike), [*reasons, SAME_NAME if alike == 1 else BY_NAME]
    return Likeness(
        record, round(min(score + 0.04 * (len(reasons) - 1), 1.0) if reasons else 0.0, 2), reasons
    )


def digits_of(number: Any) -> str:
    """The last digits of a telephone number; empty when it has fewer."""
    return last_digits_of(str(number or ""), NUMBER) or ""


def plain_name(name: Any) -> str:
    """A name without case, accents, punctuation and legal forms."""
    found = words(str(name or ""))
    return " ".join(one for one in found if one not in LEGAL_FORMS) or " ".join(found)
