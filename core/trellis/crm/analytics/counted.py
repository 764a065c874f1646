"""What a reader is told of figures that do not count everything: whose customers, and what of what they brought."""

from __future__ import annotations

from trellis.edition import Edition
from trellis.i18n import Text, translator
from trellis.kpi.income import withholds_income
from trellis.security.actor import Actor
from trellis.security.field_rights import income_entities

_ = translator("trellis")


def told(edition: Edition, actor: Actor, *, income: bool) -> Text | None:
    """What figures of customers count for this reader; None where that is everything. ``income`` where it goes in."""
    if income and withholds_income(actor.sees(edition)):
        return _(
            "Classes and scores are made of all that customers brought, also in records that you may not see"
        )
    if actor.sees_all("customer"):
        return None
    if not income:
        return _("Only customers that you may see are counted")
    if all(actor.sees_all(one) for one in income_entities(edition.whole)):
        return _("Only customers that you may see are counted, with all that they brought")
    return _(
        "Only customers that you may see are counted, with all that they brought, also in records that you may not see"
    )
