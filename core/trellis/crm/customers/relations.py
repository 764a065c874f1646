"""How customers belong together: companies of one group, people of one household, partners."""

from __future__ import annotations

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
    """Nobody is related to themselves, but by a merge of two that were. Raises RecordInvalid."""
    relation = {**event.before, **event.values}
    alone = relation.get("other") is not None and relation["other"] == relation.get("customer")
    if alone and not event.session.info.get(MERGING):
        raise RecordInvalid({"other": [_("Choose another customer")]})
