"""Beside a customer: significance, classes, tier and RFM code, and why they are what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.analytics.pyramid import cuts_of
from trellis.crm.analytics.significance import terms_of
from trellis.crm.analytics.window import Window, per_customer
from trellis.crm.customers.entities import SIGNIFICANCE
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.i18n import Text, format_money, format_number, format_percent, translator
from trellis.kpi.income import INCOME_DAY, withholds_income
from trellis.kpi.periods import today_in
from trellis.records.door import Records
from trellis.records.types import Choice

_ = translator("trellis")

SHOWN = (
    "significance",
    "significance_class",
    "significance_terms",
    "abc",
    "abc_before",
    "xyz",
    "xyz_variation",
)
RANKED = ("tier", "rfm_code", "revenue_12m", "margin_12m")


def reasons(records: Records, customer: int) -> Mapping[str, Any]:
    """The terms of the score by weight, and what decided the classes. Raises PermissionRefused for hidden fields."""
    seen = records.actor.sees(records.edition)
    values = records.get("customer", customer).values
    if any(name not in values for name in SHOWN):
        raise PermissionRefused()
    terms = terms_of(seen, values["significance_terms"])
    score = values["significance"]
    titles = {option.value: option.label for option in SIGNIFICANCE}
    return {
        "score": None if score is None else format_number(score, 1),
        "score_class": str(titles.get(values["significance_class"], "")),
        "terms": [
            {
                "title": one.title,
                "weight": format_number(one.weight),
                "share": None if one.norm is None else one.norm / 100,
                "text": "–" if one.norm is None else format_number(round(one.norm)),
            }
            for one in terms
        ]
        if score is not None
        else [],
        "missing": ", ".join(one.title for one in terms if one.norm is None) if score is not None else "",
        "classes": [str(one) for one in [*_ranks(records, customer, values), *_classes(values)]],
    }


def _classes(values: Mapping[str, Any]) -> list[Text]:
    found = []
    if values["abc"]:
        share = format_percent(values["abc_before"])
        found.append(
            _("%(letter)s: customers above bring %(share)s of the total", letter=values["abc"], share=share)
        )
    if values["xyz"]:
        share = format_percent(values["xyz_variation"])
        text = _(
            "%(letter)s: income varies by %(share)s from month to month", letter=values["xyz"], share=share
        )
        found.append(text if share else _("Z: there is no positive income to vary"))
    elif values["abc"]:
        found.append(_("No XYZ class: a customer for less than a year"))
    return found


def _ranks(records: Records, customer: int, values: Mapping[str, Any]) -> list[Text]:
    """What decided the tier and the RFM code; nothing where the role hides what goes in."""
    edition, actor = records.edition, records.actor
    seen = actor.sees(edition)
    tier = seen.entity("customer").fields.get("tier")
    if tier is None or any(name not in values for name in RANKED) or withholds_income(seen):
        return []
    option = cast(Choice, tier.type).option(values["tier"]) if values["tier"] else None
    found = [_tier(edition, str(option.label), values)] if option else []
    if values["rfm_code"] and actor.sees_income(edition):  # it was made of all sales
        window = Window.until(today_in(ZoneInfo(edition.settings.timezone)))
        query = per_customer(edition, actor, window).where(INCOME_DAY.c.customer_id == customer)
        row = records.session.execute(query).one_or_none()
        if row is not None and row.last is not None:
            words = {
                "code": values["rfm_code"],
                "ago": format_number((window.last - row.last).days),
                "days": format_number(row.frequency),
                "amount": format_money(row.revenue, edition.settings.currency),
            }
            found.append(
                _(
                    "RFM %(code)s: days since the last purchase: %(ago)s, days with a purchase: %(days)s, "
                    "revenue of 12 months: %(amount)s; 5 is the best fifth of customers",
                    **words,
                )
            )
    return found


def _tier(edition: Edition, tier: str, values: Mapping[str, Any]) -> Text:
    bought = values.get("last_order_at")
    window = Window.until(today_in(ZoneInfo(edition.settings.timezone)))
    if (
        bought is not None
        and values["tier"] in ("prospect", "inactive")
        and window.first <= bought < window.end
    ):
        return _("%(tier)s when it was last computed; what was bought since is counted next time", tier=tier)
    if values["tier"] == "prospect":
        return _("%(tier)s: nothing was bought yet", tier=tier)
    if values["tier"] == "inactive":
        return _("%(tier)s: bought before, and nothing in 12 months", tier=tier)
    cuts = [format_percent(share, 0) for _name, share in cuts_of(edition) if share < 1]
    revenue, margin = (
        format_money(values[name], edition.settings.currency) or "–" for name in ("revenue_12m", "margin_12m")
    )
    return _(
        "%(tier)s: revenue of 12 months %(revenue)s, margin %(margin)s; tiers end after the first %(cuts)s of customers",
        tier=tier,
        revenue=revenue,
        margin=margin,
        cuts=", ".join(cuts),
    )


PANELS = [
    Panel(
        name="significance",
        title=_("Significance"),
        cell=Cell(Direction.CUSTOMERS, Level.TACTICS, "CU4"),
        entity="customer",
        load=reasons,
        template="analytics/reasons.html",
    ),
]
