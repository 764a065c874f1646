"""Customer value: what a loyalty programme brings, month by month and in three scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from flask import Blueprint, Response, g

from trellis.crm.analytics.cash_flow import yearly
from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.programme import Effectiveness, Scenario, effectiveness, programmes
from trellis.crm.analytics.uplift import BASE
from trellis.i18n import (
    Text,
    format_money,
    format_number,
    format_percent,
    format_short_money,
    plural_translator,
    translator,
)
from trellis.web.choosing import asked, choices
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("programme", __name__)

SCENARIO_TITLES = {
    "pessimistic": _("Pessimistic"),
    "base": _("As expected"),
    "optimistic": _("Optimistic"),
}
COST_TITLES = {
    "setup_cost": _("Setting up"),
    "platform_cost": _("Platform, a month"),
    "staff_cost": _("Staff, a month"),
    "mailing_cost": _("Mailing, a month"),
    "rewards_cost": _("Rewards redeemed, a month"),
    "unredeemed": _("Points that will be redeemed, at the end"),
}


@blueprint.get("/<workspace>/analytics/programme")
def show_programme(workspace: str) -> str | Response:
    question = asked("programme")
    who = question.session, question.edition, question.actor
    found = effectiveness(*who, question.today, question.options["programme"])
    sheets = {one.name: one for one in (_scenarios(found), _flows(found), _costs(found))}
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    known = [(str(one.id), one.name) for one in programmes(g.session, g.actor)]
    controls = [choices("programme", _("Programme"), known, str(found.id))] if len(known) > 1 else []
    edit = found.id is not None and g.actor.may("programme", "update")
    return analysis_page(
        "programme",
        _how(found),
        left_out=told_left_out(found.left_out),
        controls=controls,
        programme=found.name,
        reason=str(found.reason or ""),
        facts=_facts(found),
        picture=_picture(found),
        tables={name: sheet.context() for name, sheet in sheets.items()},
        edit_url=f"{base()}/programme/{found.id}/edit" if edit else "",
        new_url=f"{base()}/programme/new" if g.actor.may("programme", "create") else "",
    )


def _months(number: float | None) -> str:
    if number is None:
        return str(_("not within the horizon"))
    return str(_("%(number)s months", number=format_number(round(number, 1))))


def _facts(found: Effectiveness) -> list[dict[str, str]]:
    base_ = found.base
    if base_ is None:
        return []
    money = found.currency
    several = _("several rates are possible; trust the present value") if base_.worth.several_irr else ""
    without = _("income and costs never change places") if base_.worth.irr is None else several
    rows: list[tuple[Text, str, Text | str]] = [
        (
            _("Income"),
            format_short_money(round(base_.income, 2), money),
            _("more than without the programme"),
        ),
        (_("Costs"), format_short_money(round(base_.costs, 2), money), ""),
        (_("Net"), format_short_money(round(base_.net, 2), money), ""),
        (_("Present value (NPV)"), format_short_money(round(base_.worth.npv, 2), money), ""),
        (_("Rate of return (IRR)"), format_percent(yearly(base_.worth.irr)) or "–", without or _("a year")),
        (_("Return on costs (ROI)"), format_percent(base_.roi) or "–", ""),
        (_("Paid back after"), _months(base_.worth.payback), ""),
        (_("Paid back, discounted"), _months(base_.worth.discounted_payback), ""),
        (_("Profitability index"), _index(base_), ""),
        (
            _("Members compared"),
            format_number(found.uplift.matched),
            _("%(number)s left out", number=format_number(found.uplift.unmatched)),
        ),
    ]
    return [{"label": str(label), "value": value, "text": str(text)} for label, value, text in rows]


def _index(one: Scenario) -> str:
    return "–" if one.worth.profitability is None else format_number(round(one.worth.profitability, 2), 2)


def _cumulated(found: Effectiveness, share: Decimal) -> list[float]:
    """What has come in all after each month."""
    nets = [flow.income * (share if flow.income > 0 else 1) - flow.costs for flow in found.flows]
    return [float(one) for one in accumulate(nets)]


def _picture(found: Effectiveness) -> dict[str, Any] | None:
    """The sum of all flows, of each scenario, over the months."""
    if not found.flows:
        return None
    sums = {str(SCENARIO_TITLES[one.name]): _cumulated(found, one.share) for one in found.scenarios}
    everything = [0.0, *(value for values in sums.values() for value in values)]
    low, high = min(everything), max(everything)
    step = max(len(found.flows) // 6, 1)
    base_ = found.base
    after = _months(base_.worth.payback) if base_ else ""
    return {
        "series": [{"name": name, "values": values} for name, values in sums.items()],
        "labels": [str(flow.month) if flow.month % step == 0 else "" for flow in found.flows],
        "ticks": _ticks(low, high, found.currency),
        "low": low,
        "high": high if high > low else low + 1,
        "finding": str(_("Sum of all flows; paid back after: %(after)s", after=after)),
    }


def _ticks(low: float, high: float, currency: str) -> list[dict[str, Any]]:
    values = sorted({low, 0.0, high})
    return [{"value": one, "text": format_short_money(round(Decimal(one), 2), currency)} for one in values]


def _scenarios(found: Effectiveness) -> Sheet:
    answers = found.to_json()["scenarios"]
    names = ("income", "costs", "net", "npv", "irr", "roi", "payback_months", "profitability_index")
    return Sheet(
        name="scenarios",
        title=_("Scenarios"),
        heads=(
            _("Scenario"),
            _("Share of the income"),
            _("Income"),
            _("Costs"),
            _("Net"),
            _("NPV"),
            _("IRR"),
            _("ROI"),
            _("Payback"),
            _("Profitability"),
        ),
        texts=[
            [
                str(SCENARIO_TITLES[one.name]),
                format_percent(one.share, 0),
                *(amount_text(amount) for amount in (one.income, one.costs, one.net, one.worth.npv)),
                format_percent(yearly(one.worth.irr)) or "–",
                format_percent(one.roi) or "–",
                _months(one.worth.payback),
                _index(one),
            ]
            for one in found.scenarios
        ],
        rows=[[one["scenario"], one["income_share"], *(one[name] for name in names)] for one in answers],
        currency=found.currency,
        money=(2, 3, 4, 5),
    )


def _flows(found: Effectiveness) -> Sheet:
    sums = _cumulated(found, Decimal(1))
    answers = found.to_json()["flows"]
    return Sheet(
        name="flows",
        title=_("Flows by month"),
        heads=(_("Month"), _("Period"), _("Income"), _("Costs"), _("Net"), _("Sum"), _("Expected")),
        texts=[
            [
                str(flow.month),
                flow.period.label if flow.period else str(_("Setting up")),
                *(amount_text(one) for one in (flow.income, flow.costs, flow.net)),
                amount_text(total),
                str(_("Yes")) if flow.ahead else "",
            ]
            for flow, total in zip(found.flows, sums, strict=True)
        ],
        rows=[
            [
                *(one[name] for name in ("month", "period", "income", "costs", "net")),
                round(total, 2),
                one["expected"],
            ]
            for one, total in zip(answers, sums, strict=True)
        ],
        currency=found.currency,
        money=(2, 3, 4, 5),
    )


def _costs(found: Effectiveness) -> Sheet:
    known: Sequence[tuple[str, Decimal]] = [(name, one) for name, one in found.costs.items() if one]
    return Sheet(
        name="costs",
        title=_("Costs"),
        heads=(_("What for"), _("Amount")),
        texts=[[str(COST_TITLES[name]), amount_text(one)] for name, one in known],
        rows=[[name, str(round(one, 2))] for name, one in known],
        currency=found.currency,
        money=(1,),
    )


def _how(found: Effectiveness) -> Text:
    if not found.flows:
        return _("Members are compared with customers who bought alike before the members joined.")
    assumed = found.assumptions
    each = found.uplift.per_member or Decimal(0)
    return _(
        "Members are compared with %(others)s customers who are no members and stood in the same cell of the RFM matrix in the "
        "%(base)s months before the members joined. What counts is by how much more a member brought a month than before, less "
        "the same of the others: %(each)s a month and member, over %(measured)s months that have ended. The months to come, up "
        "to %(horizon)s, are expected alike. Flows are discounted by %(rate)s a year; %(measure)s.",
        others=format_number(found.uplift.compared),
        base=BASE,
        each=format_money(round(each, 2), found.currency),
        measured=format_number(len(found.uplift.months)),
        horizon=format_number(assumed["horizon"]),
        rate=format_percent(Decimal(assumed["discount_rate"])),
        measure=_measure(found),
    )


def _measure(found: Effectiveness) -> Text:
    if found.measure == "margin":
        return _("income is margin")
    share = found.assumptions["margin_share"]
    if share is None:
        return _("costs of sales are not known, so income is revenue: enter a margin with the programme")
    return _(
        "costs of sales are not known, so income is %(share)s of revenue",
        share=format_percent(Decimal(share)),
    )
