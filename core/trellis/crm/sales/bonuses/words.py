"""A line of a statement in words, and the records that stand behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.orm import Session

from trellis.contributions import BonusKind, Kpi
from trellis.crm.sales.bonuses.entities import BY_FIGURE, CORRECTION
from trellis.crm.sales.bonuses.reckoning import Line
from trellis.crm.sales.bonuses.terms import kpi_in
from trellis.edition import Edition
from trellis.i18n import format_money, format_number, format_percent, translator
from trellis.kpi.behind import drill_rule, entity_of
from trellis.kpi.periods import Period, PeriodInvalid, parse
from trellis.kpi.splits import PERSON, UNIT, SplitUnknown, split_of
from trellis.security.roles import units_below

_ = translator("trellis")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Records that a line was reckoned from: those of a KPI, as a rule over an entity."""

    title: str
    entity: str
    rule: Mapping[str, Any]


def title(line: Line, edition: Edition) -> str:
    """The name of a line; of a correction with the period that it corrects."""
    if line.kind != CORRECTION:
        return line.name
    return str(_("Correction of %(period)s", period=_label(edition, line.period)))


def how(line: Line, edition: Edition, currency: str) -> str:
    """What a line was reckoned from, in one sentence."""
    words = _HOW.get(line.kind)
    try:
        return words(line.basis, edition, currency) if words is not None else ""
    except (KeyError, TypeError, InvalidOperation):  # not reckoned by Trellis
        return ""


def sources(session: Session, edition: Edition, line: Line, person: int, unit: int | None) -> list[Source]:
    """The records behind a line, one list for each KPI; none for what is reckoned from other lines."""
    try:
        period = parse(line.period, edition.settings.fiscal_month)
    except PeriodInvalid:
        return []
    if line.kind in (BonusKind.FORMULA, BonusKind.MULTIPLIER):
        names = dict.fromkeys(kpi_in(name) for name in line.basis.get("named", {}))
        found = [_source(edition, name, period, PERSON, [person], None) for name in names]
        return [one for one in found if one is not None]
    name = line.basis.get("kpi")
    if not name:
        return []
    by, keys = PERSON, [person]
    if line.kind == BonusKind.TEAM:
        by, keys = UNIT, list(units_below(session, unit))
    one = _source(edition, name, period, by, keys, line.basis.get("rule")) if keys else None
    return [one] if one is not None else []


def _source(
    edition: Edition,
    name: str,
    period: Period,
    by: str,
    keys: Sequence[int],
    rule: Mapping[str, Any] | None,
) -> Source | None:
    kpi = edition.all(Kpi).get(name)
    counted = drill_rule(edition, kpi, period) if kpi is not None else None
    if kpi is None or counted is None:
        return None
    try:
        field = split_of(edition, kpi, by).field
    except SplitUnknown:
        return None
    if field is None:
        return None
    whose = {"field": field, "op": "in", "value": list(keys)}
    both = [counted, whose, rule] if rule else [counted, whose]
    return Source(title=str(kpi.title), entity=str(entity_of(kpi)), rule={"all": both})


def _label(edition: Edition, period: str) -> str:
    try:
        return parse(period, edition.settings.fiscal_month).label
    except PeriodInvalid:
        return period


def _money(text: str, currency: str) -> str:
    return format_money(Decimal(text), currency)


def _share(text: str) -> str:
    """A rate with the digits that it has, two at most behind those of a percent."""
    rate = Decimal(text)
    digits = max(-int((rate * 100).normalize().as_tuple().exponent), 0)
    return format_percent(rate, min(digits, 2))


def _kpi(basis: Mapping[str, Any], edition: Edition) -> str:
    kpi = edition.all(Kpi).get(basis["kpi"])
    name = str(kpi.title) if kpi is not None else str(basis["kpi"])
    return str(_("%(kpi)s of some records", kpi=name)) if basis.get("rule") else name


def _percent(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = {"rate": _share(basis["rate"]), "kpi": _kpi(basis, edition)}
    return str(_("%(rate)s of %(kpi)s: %(figure)s", **told, figure=_money(basis["figure"], currency)))


def _tiers(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = {"kpi": _kpi(basis, edition), "figure": _money(basis["figure"], currency)}
    if basis["plan"] is None:
        return str(_("%(kpi)s %(figure)s; there is no plan", **told))
    plan = Decimal(basis["plan"])
    told |= {
        "plan": _money(basis["plan"], currency),
        "attainment": format_percent(Decimal(basis["figure"]) / plan),
    }
    parts = [
        str(_("%(rate)s of %(amount)s", rate=_share(one["rate"]), amount=_money(one["of"], currency)))
        for one in basis["tiers"]
    ]
    if not parts:
        told["threshold"] = _share(basis["threshold"])
        return str(
            _(
                "%(kpi)s %(figure)s, plan %(plan)s, attainment %(attainment)s: nothing below %(threshold)s",
                **told,
            )
        )
    told["parts"] = " + ".join(parts)
    return str(_("%(kpi)s %(figure)s, plan %(plan)s, attainment %(attainment)s: %(parts)s", **told))


def _team(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = {
        "rate": _share(basis["rate"]),
        "kpi": _kpi(basis, edition),
        "figure": _money(basis["figure"], currency),
        "number": format_number(basis["heads"]),
    }
    if not basis["heads"]:
        return str(_("%(rate)s of %(kpi)s of the unit; the person has no unit", **told))
    if basis["sharing"] == BY_FIGURE:
        return str(
            _("%(rate)s of %(kpi)s of the unit: %(figure)s, shared by %(number)s by own figures", **told)
        )
    return str(_("%(rate)s of %(kpi)s of the unit: %(figure)s, shared by %(number)s equally", **told))


def _figures(basis: Mapping[str, Any]) -> Iterator[str]:
    yield basis["formula"]
    for name, value in basis["named"].items():
        yield f"{name} = {format_number(round(Decimal(value), 4))}"


def _formula(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = "; ".join(_figures(basis))
    return told if basis["value"] is not None else str(_("%(formula)s: a figure is not known", formula=told))


def _multiplier(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = _formula(basis, edition, currency)
    if basis["value"] is None:
        return told
    factor = format_number(Decimal(basis["value"]))
    above = _money(basis["above"], currency)
    return str(_("× %(factor)s of %(above)s above (%(formula)s)", factor=factor, above=above, formula=told))


def _cap(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = {name: _money(basis[name], currency) for name in ("amount", "above")}
    return str(_("At most %(amount)s; above are %(above)s", **told))


def _correction(basis: Mapping[str, Any], edition: Edition, currency: str) -> str:
    told = {name: _money(basis[name], currency) for name in ("due", "known")}
    return str(_("Reckoned anew it is %(due)s; %(known)s were stated", **told))


_HOW = {
    BonusKind.PERCENT.value: _percent,
    BonusKind.TIERS.value: _tiers,
    BonusKind.TEAM.value: _team,
    BonusKind.FORMULA.value: _formula,
    BonusKind.MULTIPLIER.value: _multiplier,
    BonusKind.CAP.value: _cap,
    CORRECTION: _correction,
}
