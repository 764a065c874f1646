"""Customer value: lifetime value, and loyalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.crm.analytics.answers import asked_lifetime
from trellis.crm.analytics.clv import Group, Lifetime, clv, lines
from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.formula import DoesNotConverge
from trellis.i18n import Text, format_date, format_number, format_percent, format_short_money, translator
from trellis.kpi.periods import Grain, containing, parse
from trellis.web.asked import asked_page
from trellis.web.sheets import Sheet, amount_text, asked_file, table_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page
from trellis.web.widgets import first_bought

_ = translator("trellis")

blueprint = Blueprint("lifetime", __name__)

ASSUMED = {
    "calibrate_to": _("Learn from purchases up to"),
    "horizon": _("Months ahead"),
    "discount_rate": _("Discount a month"),
    "margin": _("Margin share of revenue"),
    "period": _("First bought in"),
    "retention": _("Retention a year"),
    "growth": _("Growth of margin a year"),
    "years": _("Years of the formula"),
    "acquisition_cost": _("Cost of winning a customer"),
}
_GROUP_HEADS = (_("Customers"), _("Brought to date"), _("Lifetime value"), _("Per customer"))


@blueprint.get("/<workspace>/analytics/clv")
def show_clv(workspace: str) -> str | Response:
    asked = asked_page("clv", ASSUMED)
    found = clv(g.session, g.edition, g.actor, asked_lifetime(asked.question))
    sheets = _sheets(found)
    if request.args.get("table") == "customers":
        return _customers(found)
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    return analysis_page(
        "clv",
        _how(found),
        left_out=told_left_out(found.coverage.left_out),
        fields=asked.fields,
        lacking=str(found.lacking) if found.lacking else "",
        warnings=[str(one) for one in found.model.warnings],
        facts=_facts(found),
        tracking=_tracking(found),
        tenths=_tenths(found),
        tables={name: sheet.context() for name, sheet in sheets.items()},
        everybody=_everybody(),
        customers=len(found.known),
    )


def _everybody() -> dict[str, Any]:
    """Ways to the value of each customer: a file with these assumptions, and the list with the usual ones."""
    title = _("Customers by lifetime value")
    files = Sheet(name="customers", title=title, heads=(), texts=(), rows=()).context()["files"]
    asked = {"sort": "-clv", "columns": "name,tier,clv,alive,expected_purchases,revenue_12m,last_order_at"}
    url = f"{base()}/customer?{urlencode(asked)}"
    return {"title": str(title), "files": files, "url": url}


def _customers(found: Lifetime) -> Response:
    """One line for each customer as a file."""
    rows = lines(g.session, g.actor, found)
    columns = [
        *("id", "external_id", "name", "frequency", "recency", "age", "monetary"),
        *("historic", "alive", "expected_purchases", "clv"),
    ]
    return table_file("customers", columns, rows, request.args.get("format", "csv"))


def _short(found: Lifetime, amount: float | None) -> str:
    return "–" if amount is None else format_short_money(round(amount, 2), found.currency)


def _facts(found: Lifetime) -> list[dict[str, str]]:
    values, brought = found.values, found.historic
    facts: list[tuple[Text, str, Text | str]] = []
    if values is not None:
        facts += [
            (
                _("Lifetime value, all customers"),
                _short(found, float(values.clv.sum())),
                _("of the next %(number)s months", number=found.assumed.horizon),
            ),
            (_("Per customer"), _short(found, float(values.clv.mean())), ""),
            (_("Purchases expected"), format_number(round(float(values.purchases.sum()))), ""),
            (
                _("Still customers"),
                format_number(round(float(values.alive.sum()))),
                _("of %(number)s who have bought", number=format_number(len(found.known))),
            ),
        ]
    if len(brought):
        facts.append((_("Brought to date"), _short(found, float(brought.sum())), _measure(found)))
    return [{"label": str(label), "value": value, "text": str(text)} for label, value, text in facts]


def _measure(found: Lifetime) -> Text:
    if found.coverage.measure == "margin":
        return _("margin, of what has a known cost")
    return _("revenue: too few costs are known")


def _tracking(found: Lifetime) -> dict[str, Any] | None:
    """Repeat purchases as they came, and as expected (dotted)."""
    points = found.tracked
    if len(points) < 2:
        return None
    high = max([point.actual for point in points] + [point.expected for point in points]) or 1
    last = points[-1]
    shown = {0, len(points) - 1}
    finding = _(
        "Repeat purchases up to %(day)s: %(actual)s, expected %(expected)s",
        day=format_date(last.day),
        actual=format_number(last.actual),
        expected=format_number(round(last.expected)),
    )
    return {
        "actual": [0.0, *(float(point.actual) for point in points)],
        "expected": [0.0, *(point.expected for point in points)],
        "labels": [
            "",
            *(
                containing(point.day, Grain.MONTH).label if index in shown else ""
                for index, point in enumerate(points)
            ),
        ],
        "ticks": [{"value": high * part, "text": format_number(round(high * part))} for part in (0, 0.5, 1)],
        "high": high,
        "finding": str(finding),
    }


def _tenths(found: Lifetime) -> dict[str, Any] | None:
    """What each tenth of the customers is worth."""
    if not found.tenths:
        return None
    high = max((one.value or 0 for one in found.tenths), default=0) or 1.0
    columns = [
        {
            "label": one.title,
            "value": max(one.value or 0.0, 0.0),
            "text": _short(found, one.value),
            "plan": None,
            "tone": "",
            "ahead": False,
        }
        for one in found.tenths
    ]
    ticks = [{"value": high * part, "text": _short(found, high * part)} for part in (0, 1)]
    return {"columns": columns, "ticks": ticks, "high": high * 1.05}


def _sheets(found: Lifetime) -> dict[str, Sheet]:
    tracked = found.tracked
    return {
        "tenths": _groups(found, "tenths", _("By tenth"), _("Tenth"), found.tenths),
        "cohorts": _groups(
            found,
            "cohorts",
            _("By quarter of the first purchase"),
            _("Cohort"),
            found.cohorts,
            [first_bought(parse(one.name)) for one in found.cohorts],
        ),
        "segments": _groups(
            found,
            "segments",
            _("By segment"),
            _("Segment"),
            found.segments,
            [f"{base()}/segments/{one.name}" for one in found.segments],
        ),
        "formula": _formula(found),
        "tracking": Sheet(
            name="tracking",
            title=_("Repeat purchases"),
            heads=(_("Up to"), _("As they came"), _("Expected")),
            texts=[
                [format_date(one.day), format_number(one.actual), format_number(round(one.expected))]
                for one in tracked
            ],
            rows=[[one.day, one.actual, round(one.expected, 2)] for one in tracked],
        ),
    }


def _groups(
    found: Lifetime, name: str, title: Text, head: Text, groups: tuple[Group, ...], urls: Sequence[str] = ()
) -> Sheet:
    def mean(one: Group) -> float | None:
        return one.value / one.customers if one.value is not None and one.customers else None

    def cents(amount: float | None) -> float | None:
        return None if amount is None else round(amount, 2)

    return Sheet(
        name=name,
        title=title,
        heads=(head, *_GROUP_HEADS),
        texts=[
            [
                one.title,
                format_number(one.customers),
                amount_text(one.historic),
                amount_text(one.value),
                amount_text(mean(one)),
            ]
            for one in groups
        ],
        rows=[
            [one.title, one.customers, cents(one.historic), cents(one.value), cents(mean(one))]
            for one in groups
        ],
        currency=found.currency,
        money=(2, 3, 4),
        urls=urls,
    )


def _formula(found: Lifetime) -> Sheet:
    """The forms of the formula; a dash, and why, where there is no value."""
    rows: list[tuple[Text, float | None]] = []
    made = found.formula
    if made is not None:
        forms = (
            (_("Without the present year"), made.following),
            (_("With the present year"), made.including),
            (_("Less the cost of winning them"), made.net),
        )
        for title, form in forms:
            try:
                rows.append((title, form()))
            except DoesNotConverge:
                rows.append((title, None))
        rows.append((_("Simple: margin of a year times the mean lifetime"), made.simple))
    return Sheet(
        name="formula",
        title=_("By formula, per customer"),
        heads=(_("Form"), _("Lifetime value")),
        texts=[[str(title), amount_text(amount)] for title, amount in rows],
        rows=[[str(title), None if amount is None else round(amount, 2)] for title, amount in rows],
        currency=found.currency,
        money=(1,),
    )


def _how(found: Lifetime) -> Text:
    """The computation with the organisation's own numbers."""
    purchases, worth, made = found.model.purchases, found.model.values, found.formula
    told: list[Text] = []
    if purchases is not None:
        told.append(
            _(
                "%(customers)s customers bought by %(day)s, %(again)s of them on two days or more. Their histories give "
                "BG/NBD with r %(r)s, alpha %(alpha)s, a %(a)s, b %(b)s (weeks): how often each will buy, and whether they "
                "still are customers; who bought once counts as one by construction.",
                customers=format_number(len(found.known)),
                day=format_date(found.asked.until),
                again=format_number(int((found.known.x > 0).sum())),
                r=format_number(purchases.r, 3),
                alpha=format_number(purchases.alpha, 3),
                a=format_number(purchases.a, 3),
                b=format_number(purchases.b, 3),
            )
        )
        if worth is not None:
            told.append(
                _(
                    "What a purchase is worth follows Gamma-Gamma with p %(p)s, q %(q)s, gamma %(v)s, of %(number)s customers "
                    "with repeat purchases.",
                    p=format_number(worth.p, 3),
                    q=format_number(worth.q, 3),
                    v=format_number(worth.v, 2),
                    number=format_number(found.model.valued),
                )
            )
        told.append(
            _(
                "Expected purchases of each of %(months)s months, times their worth, times a margin of %(margin)s, through "
                "1 + %(discount)s to the power of the month.",
                months=format_number(found.assumed.horizon),
                margin=format_percent(found.assumed.margin),
                discount=format_percent(found.assumed.discount),
            )
        )
    if made is not None:
        told.append(
            _(
                "The formula takes %(margin)s a year and customer, retention %(retention)s (of %(before)s who bought in the "
                "year before, %(kept)s came back), discount %(discount)s a year: m × r / (1 + i − r × (1 + g)).",
                margin=_short(found, made.margin),
                retention=format_percent(made.retention),
                before=format_number(found.kept.before),
                kept=format_number(found.kept.kept),
                discount=format_percent(made.discount),
            )
        )
        try:
            made.following()
        except DoesNotConverge as refused:
            told.append(refused.detail)  # type: ignore[arg-type]
    return joined(told)


def joined(told: list[Text]) -> Text:
    """Sentences after each other."""
    return Text("%(all)s", values={"all": " ".join(str(one) for one in told)})
