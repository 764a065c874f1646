"""References by the name of their record, as files give agents, units and products: found by what the record is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa

from trellis.edition import EntityView
from trellis.errors import Message
from trellis.i18n import translator
from trellis.records.bulk import among
from trellis.records.door import Records
from trellis.records.importer.existing import Draft
from trellis.records.importer.named import Named, spellings
from trellis.records.text import Folded
from trellis.records.types import Reference

_ = translator("trellis")


def find_named(
    records: Records,
    entity: str,
    drafts: Sequence[Draft],
    made: Collection[str] = (),
    blank: Collection[str] = (),
) -> dict[int, dict[str, list[Message]]]:
    """Puts ids in the place of names; the positions of drafts with a name that no record has, or several have, with why.

    A name that no record has is left in fields whose records are to be ``made``, and taken out of those that stay ``blank``.
    """
    view = records.edition.entity(entity)
    refused: dict[int, dict[str, list[Message]]] = {}
    for field, declared in view.references.items():
        wanted = {one.values[field].name for one in drafts if isinstance(one.values.get(field), Named)}
        if not wanted:
            continue
        target = records.edition.entity(cast(Reference, declared.type).entity)
        found = _called(records, target, wanted)
        for place, draft in enumerate(drafts):
            asked = draft.values.get(field)
            if not isinstance(asked, Named):
                continue
            known = found.get(asked.name, [])
            if len(known) == 1:
                draft.values[field] = known[0]
                continue
            if not known and field in made:
                continue
            if not known and field in blank:
                del draft.values[field]
                continue
            said = {"entity": target.info.title, "name": asked.name}
            text = (
                _("Several records of “%(entity)s” are called “%(name)s”", **said)
                if known
                else _("There is no %(entity)s called “%(name)s”", **said)
            )
            refused.setdefault(place, {})[field] = [text]
    return refused


def _called(records: Records, target: EntityView, wanted: Iterable[str]) -> dict[str, list[int]]:
    """The records of these names. A name that none has as it is written is looked for again without regard to capitals and
    spaces, and with its words turned round (``Silva, Rosa``), or as a mail address where it is one.
    """
    title = target.fields[target.info.title_field].of(target.entity)
    found: dict[str, list[int]] = {}
    for name, number in _named(records, target, title, wanted):
        found.setdefault(name, []).append(number)
    meant: dict[str, set[str]] = {}
    for name in set(wanted) - found.keys():
        for one in spellings(name):
            meant.setdefault(one, set()).add(name)
    mail = records.actor.sees(records.edition).entity(target.name).fields.get("email")
    asked = [(title, list(meant))]
    if mail is not None:
        asked.append((mail.of(target.entity), [one for one in meant if "@" in one]))
    for column, names in asked:
        for spelling, number in _named(records, target, Folded(column), names):
            for name in meant.get(spelling, ()):
                if number not in found.setdefault(name, []):
                    found[name].append(number)
    return found


def _named(records: Records, target: EntityView, column: Any, wanted: Iterable[str]) -> Iterable[Any]:
    if not (names := sorted(wanted)):
        return ()
    query = sa.select(column, target.entity.id).where(
        among(records.session, column, names),
        target.entity.deleted_at.is_(None),
        records.actor.visible(target.entity),
    )
    return records.session.execute(query)
