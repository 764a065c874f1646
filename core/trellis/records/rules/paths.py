"""Finding fields by name, also through references: ``city``, ``retail.card``, ``customer.retail.card``."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.rules.nodes import Path
from trellis.records.types import Integer, Reference

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_ = translator("trellis")

MOST_HOPS = 3


def resolve(name: str, view: EntityView, edition: Edition, *, at: str = "") -> Path:
    """The field called ``name`` on ``view``; RuleInvalid, placed ``at`` in the JSON, when there is none."""
    hops: list[Field] = []
    rest = name
    while True:
        field = _field(view, rest)
        if field is not None:
            return Path(tuple(hops), field)
        hop = _reference(view, rest)
        if hop is None:
            raise _unknown(rest, view, at)
        if len(hops) == MOST_HOPS:
            raise RuleInvalid(
                _("“%(name)s” goes through more than %(most)s references", name=name, most=MOST_HOPS), at
            )
        hops.append(hop)
        view = edition.entity(hop.type.entity)  # type: ignore[attr-defined]
        rest = rest[len(hop.name) + 1 :]


def identity(view: EntityView) -> Field:
    """The id as a field, so that rules and sorts can name it."""
    return Field(
        name="id", entity=view.name, type=Integer(), label=_("Id"), column="id", required=True, read_only=True
    )


def _field(view: EntityView, name: str) -> Field | None:
    return identity(view) if name == "id" else view.fields.get(name)


def _reference(view: EntityView, name: str) -> Field | None:
    """The reference that ``name`` starts with; the longest, as plugins' field names have dots themselves."""
    found = [
        field
        for field in view.fields.values()
        if isinstance(field.type, Reference) and name.startswith(f"{field.name}.")
    ]
    return max(found, key=lambda field: len(field.name), default=None)


def _unknown(name: str, view: EntityView, at: str) -> RuleInvalid:
    guess = difflib.get_close_matches(name[:80], [*view.fields, "id"], n=1)
    if guess:
        text = _(
            "%(entity)s has no field “%(name)s”; did you mean “%(guess)s”?",
            entity=view.info.title,
            name=name[:80],
            guess=guess[0],
        )
    else:
        text = _("%(entity)s has no field “%(name)s”", entity=view.info.title, name=name[:80])
    return RuleInvalid(text, at)
