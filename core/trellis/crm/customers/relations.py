"""How customers belong together: companies of one group, people of one household, partners."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import MERGING, BeforeSave
from trellis.records.types import Choice, LongText, Option, Reference

_ = translator("trellis")

GROUP, HOUSEHOLD, PARTNER = "group", "household", "partner"


class CustomerRelation(Entity):
    """Two customers that belong together. It holds both ways, and stands on the pages of both."""

    __tablename__ = "customer_relation"
    __entity__ = EntityInfo(
        name="customer_relation",
        title=_("Relation"),
        plural=_("Relations"),
        new=_("New relation"),
        icon="users-round",
        direction="customers",
        level="operations",
        title_field="other",
        subtitle_field="customer",
        parent="customer",
        mutual=("customer", "other"),
    )

    customer_id: Mapped[int] = column(
        Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    kind: Mapped[str] = column(
        Choice(
            (
                Option(GROUP, _("Same group"), tone="info"),
                Option(HOUSEHOLD, _("Same household"), tone="good"),
                Option(PARTNER, _("Partner"), tone="neutral"),
            )
        ),
        label=_("Kind"),
        required=True,
        default=GROUP,
        in_list=True,
    )
    other_id: Mapped[int] = column(
        Reference("customer", "CASCADE"), label=_("Belongs together with"), required=True, in_list=True
    )
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"))


def check_relation(event: BeforeSave) -> None:
    """Nobody is related to themselves, and two belong together once in each way, but after a merge. Raises RecordInvalid."""
    relation = {**event.before, **event.values}
    ends = (relation.get("customer"), relation.get("other"))
    same = all(relation.get(name) == event.before.get(name) for name in ("customer", "other", "kind"))
    stays = event.action not in ("created", "restored") and same
    if None in ends or stays or event.action == "deleted" or event.session.info.get(MERGING):
        return
    if ends[0] == ends[1]:
        raise RecordInvalid({"other": [_("Choose another customer")]})
    found = CustomerRelation
    known = sa.select(found.id).where(
        sa.or_(
            sa.and_(found.customer_id == ends[0], found.other_id == ends[1]),
            sa.and_(found.customer_id == ends[1], found.other_id == ends[0]),
        ),
        found.kind == relation["kind"],
        found.id != (event.id or 0),
        found.deleted_at.is_(None),
    )
    place = ("relation", frozenset(ends), relation["kind"])
    if place in event.taken or event.session.scalar(known.limit(1)) is not None:
        raise RecordInvalid({"other": [_("They belong together in this way already")]})
    event.taken.add(place)
