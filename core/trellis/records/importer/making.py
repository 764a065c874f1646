"""Records that a file names and that there are none of yet: made through the door, beside the rows that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from trellis.edition import Edition, EntityView
from trellis.errors import Message, RecordInvalid
from trellis.i18n import Text, translator
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.importer.named import Named, spellings, tidy
from trellis.records.types import Reference
from trellis.records.types import Text as TextType
from trellis.security.actor import Actor

if TYPE_CHECKING:
    from trellis.records.importer.existing import Draft

_ = translator("trellis")

_FILLED_IN = ("owner", "unit")


def obstacle(edition: Edition, actor: Actor, entity: str) -> Text | None:
    """Why no record of ``entity`` can be made of a name alone by this actor, in ``edition`` as it sees it; None where it can."""
    view = edition.entities.get(entity)
    if view is None or not actor.may(entity, "create"):
        return _("you may not make such records")
    title = view.fields.get(view.info.title_field)
    if view.info.kept or not view.info.by_hand or title is None or not isinstance(title.type, TextType):
        return _("such records are not made by name")
    if title.read_only:
        return _("you may not make such records")
    given = {title.name, *_FILLED_IN, *(("number",) if view.info.numbered else ())}
    needed = [
        str(one.label)
        for one in edition.whole.entity(entity).fields.values()
        if one.always_required and not one.read_only and one.default is None and one.name not in given
    ]
    return _("such a record needs more than a name: %(fields)s", fields=", ".join(needed)) if needed else None


@dataclass
class Made:
    """What was made for the drafts of a batch: ``ids`` by entity and name as the file has it, and how many of each entity."""

    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def filled(self, view: EntityView, values: dict[str, Any]) -> dict[str, Any]:
        """The values of a draft of ``view`` with ids in the place of names."""
        return {
            name: self.ids[_entity(view, name), value.name] if isinstance(value, Named) else value
            for name, value in values.items()
        }


def make_unknown(records: Records, view: EntityView, drafts: Sequence[Draft]) -> Made:
    """Makes a record for each name that is left in drafts of ``view``, one for all spellings of it.

    Raises BatchInvalid that names the drafts whose record the door refuses, PermissionRefused.
    """
    made = Made()
    failures: dict[int, RecordInvalid] = {}
    named = [
        (place, name, value.name)
        for place, draft in enumerate(drafts)
        for name, value in draft.values.items()
        if isinstance(value, Named)
    ]
    for entity in dict.fromkeys(_entity(view, name) for _place, name, _value in named):
        asked = [one for one in named if _entity(view, one[1]) == entity]
        new, meant = _apart([value for _place, _name, value in asked])
        title = records.edition.entity(entity).info.title_field
        try:
            ids = records.save(entity, [Write(values={title: name}) for name in new])
        except BatchInvalid as error:
            for place, name, value in asked:
                if (wrong := error.failures.get(meant[value])) is not None:
                    failures[place] = RecordInvalid({name: [_told(value, wrong)]})
        else:
            made.ids |= {(entity, value): ids[number] for value, number in meant.items()}
            made.counts[entity] += len(ids)
    if failures:
        raise BatchInvalid(failures)
    return made


def _apart(names: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """The names of records to be made, and which of them each name means."""
    new: list[str] = []
    known: dict[str, int] = {}
    meant: dict[str, int] = {}
    for name in dict.fromkeys(names):
        number = next((known[one] for one in spellings(name) if one in known), len(new))
        if number == len(new):
            new.append(tidy(name))
            known[spellings(name)[0]] = number
        meant[name] = number
    return new, meant


def _told(name: str, wrong: RecordInvalid) -> Message:
    reasons = " ".join(str(text) for texts in wrong.errors.values() for text in texts)
    return _("“%(name)s” cannot be made: %(reason)s", name=name, reason=reasons)


def _entity(view: EntityView, name: str) -> str:
    return cast(Reference, view.fields[name].type).entity
