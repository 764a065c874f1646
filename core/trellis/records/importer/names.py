"""References by the name of their record, as files give agents, units and products: found by what the record is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa

from trellis.errors import Message
from trellis.i18n import translator
from trellis.records.bulk import among
from trellis.records.door import Records
from trellis.records.importer.existing import Draft
from trellis.records.importer.mapping import Named
from trellis.records.types import Reference

_ = translator("trellis")


def find_named(records: Records, entity: str, drafts: Sequence[Draft]) -> dict[int, dict[str, list[Message]]]:
    """Puts ids in the place of names; the positions of drafts with a name that no record has, or several have, with why."""
    view = records.edition.entity(entity)
    refused: dict[int, dict[str, list[Message]]] = {}
    for field, declared in view.references.items():
        wanted = {one.values[field].name for one in drafts if isinstance(one.values.get(field), Named)}
        if not wanted:
            continue
        target = records.edition.entity(cast(Reference, declared.type).entity)
        title = target.fields[target.info.title_field].of(target.entity)
        query = sa.select(title, target.entity.id).where(
            among(records.session, title, sorted(wanted)),
            target.entity.deleted_at.is_(None),
            records.actor.visible(target.entity),
        )
        found: dict[str, list[int]] = {}
        for name, number in records.session.execute(query):
            found.setdefault(name, []).append(number)
        for place, draft in enumerate(drafts):
            asked = draft.values.get(field)
            if not isinstance(asked, Named):
                continue
            known = found.get(asked.name, [])
            if len(known) == 1:
                draft.values[field] = known[0]
                continue
            said = {"entity": target.info.title, "name": asked.name}
            text = (
                _("Several records of “%(entity)s” are called “%(name)s”", **said)
                if known
                else _("There is no %(entity)s called “%(name)s”", **said)
            )
            refused.setdefault(place, {})[field] = [text]
    return refused
