"""Bonuses: one's statements, how each line came about, runs with what differs, and schemes of the edition (SA4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Blueprint, Response, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import BonusScheme as Brought
from trellis.contributions import Direction
from trellis.crm.project.rows import DIRECTIONS
from trellis.crm.sales.bonuses import running, words
from trellis.crm.sales.bonuses.entities import CLOSED, BonusStatement
from trellis.crm.sales.bonuses.kept import kept
from trellis.crm.sales.bonuses.panels import reckoning
from trellis.crm.sales.bonuses.reckoning import Line
from trellis.errors import PermissionRefused, TrellisError
from trellis.i18n import format_datetime, format_money, format_number, plural_translator, translator
from trellis.kpi.periods import PeriodInvalid, parse
from trellis.records.query import Record
from trellis.records.types import Money
from trellis.security.people import User
from trellis.web.display import origin
from trellis.web.figures import signed
from trellis.web.overlay import dialog_form
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.shell import entity_page, page, toast
from trellis.web.views.lists import base, go, sentences, view_of

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("bonuses", __name__)

LATEST = 24


@blueprint.get("/<workspace>/bonuses")
def show(workspace: str) -> str:
    view_of("bonus_statement")
    _require_fields("bonus_statement")
    return page(
        "bonuses/page.html",
        title=_("Bonuses"),
        crumbs=[(DIRECTIONS[Direction.SALES], "model")],
        direction=Direction.SALES.value,
        level="tactics",
        statements=_latest(),
        runs=_runs() if g.actor.may("bonus_run", "create") and g.actor.may("bonus_run", "read") else [],
        schemes=_schemes() if g.actor.may("bonus_run", "create") else [],
        may_reckon=g.actor.may("bonus_run", "create"),
        may_make=g.actor.may("bonus_scheme", "create"),
        brought=_brought() if g.actor.may("bonus_scheme", "create") else [],
        schemes_url=f"{base()}/bonus_scheme" if g.actor.may("bonus_scheme", "read") else "",
        list_url=f"{base()}/bonus_statement",
        runs_url=f"{base()}/bonus_run",
    )


@blueprint.post("/<workspace>/bonuses/<name>")
def adopt(workspace: str, name: str) -> BaseResponse:
    """A scheme of one's own like one that the edition brings."""
    brought: Brought | None = g.edition.all(Brought).get(name)
    if brought is None:
        abort(404)
    return go(f"{base()}/bonus_scheme/{running.adopt(g.records, brought)}")


@blueprint.post("/<workspace>/bonus_scheme/<int:record_id>/reckon")
def reckon(workspace: str, record_id: int) -> BaseResponse:
    """Reckons a scheme in the period of the form."""
    view_of("bonus_scheme")
    run = running.calculate(g.records, record_id, request.form.get("period", ""))
    return go(f"{base()}/bonus_run/{run.id}/statements")


@blueprint.get("/<workspace>/bonus_run/<int:record_id>/statements")
def statements(workspace: str, record_id: int) -> str | Response:
    """The statements of a run that the reader may see."""
    run = _run(record_id)
    _require_fields("bonus_statement", "bonus_line")
    rows = [one for one in kept(g.session, record_id, g.actor).values() if not one.binned]
    names = _names([one.person for one in rows])
    rows.sort(key=lambda one: (-one.total, names[one.person]))
    money = Money().to_json
    currency = run.values["currency"] or g.edition.settings.currency
    sheet = Sheet(
        name="statements",
        title=_("Bonus statements"),
        heads=(_("Employee"), _("Lines"), _("Total")),
        texts=[[names[one.person], format_number(len(one.lines)), amount_text(one.total)] for one in rows],
        rows=[[names[one.person], len(one.lines), money(one.total)] for one in rows],
        currency=currency,
        money=(2,),
    )
    lines = [(names[one.person], line) for one in rows for line in one.lines]
    file = asked_file([sheet, _lines_sheet(lines, currency, named=True)])
    if file is not None:
        return file
    closed = run.values["state"] == CLOSED
    may = g.actor.reaches("bonus_run", "update", {**run.values, "id": run.id}) and not closed
    return entity_page(
        "bonuses/run.html",
        view_of("bonus_run"),
        title=run.values["title"],
        inside=True,
        run={
            "sub": _run_words(run, currency),
            "closed": closed,
            "differences_url": f"{base()}/bonus_run/{record_id}/differences" if may else "",
            "close_url": f"{base()}/bonus_run/{record_id}/close" if may else "",
            "lines_url": f"?{urlencode({'table': 'lines', 'format': 'xlsx'})}",
        },
        table=sheet.context(),
        urls=[f"{base()}/bonus_statement/{one.id}/lines" for one in rows],
    )


@blueprint.get("/<workspace>/bonus_run/<int:record_id>/differences")
def differences(workspace: str, record_id: int) -> str | Response:
    """What would change if a run were reckoned now; nothing is written."""
    run = _run(record_id)
    found = running.differences(g.records, record_id)
    names = _names([one.person for one in found])
    money = Money().to_json
    sheet = Sheet(
        name="differences",
        title=_("What differs"),
        heads=(_("Employee"), _("Stated"), _("Now"), _("Difference"), _("Lines that differ")),
        texts=[
            [
                names[one.person],
                amount_text(_sum(one.before)),
                amount_text(_sum(one.after)),
                signed(amount_text(one.amount), float(one.amount)),
                _changed(one.before, one.after),
            ]
            for one in found
        ],
        rows=[
            [
                names[one.person],
                money(_sum(one.before)),
                money(_sum(one.after)),
                money(one.amount),
                _changed(one.before, one.after),
            ]
            for one in found
        ],
        currency=run.values["currency"] or g.edition.settings.currency,
        money=(1, 2, 3),
        words=(0, 4),
    )
    file = asked_file([sheet])
    if file is not None:
        return file
    return entity_page(
        "bonuses/differences.html",
        view_of("bonus_run"),
        title=_("What differs"),
        inside=True,
        run={"title": run.values["title"], "url": f"{base()}/bonus_run/{record_id}/statements"},
        table=sheet.context() if found else None,
        action=f"{base()}/bonus_run/{record_id}/recalculate",
    )


@blueprint.post("/<workspace>/bonus_run/<int:record_id>/recalculate")
def recalculate(workspace: str, record_id: int) -> BaseResponse:
    _run(record_id)
    number = running.recalculate(g.records, record_id)
    toast(_n("%(num)s statement has changed", "%(num)s statements have changed", number))
    return go(f"{base()}/bonus_run/{record_id}/statements")


@blueprint.get("/<workspace>/bonus_run/<int:record_id>/close")
def ask_to_close(workspace: str, record_id: int) -> str:
    return _close_dialog(_run(record_id))


@blueprint.post("/<workspace>/bonus_run/<int:record_id>/close")
def close(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    run = _run(record_id)
    try:
        running.close(g.records, record_id)
    except TrellisError as error:
        return _close_dialog(run, sentences(error)), error.status
    toast(_("Closed: %(title)s", title=run.values["title"]))
    return go(f"{base()}/bonus_run/{record_id}/statements")


@blueprint.get("/<workspace>/bonus_statement/<int:record_id>/lines")
def lines(workspace: str, record_id: int) -> str | Response:
    """A statement with what each line was reckoned from, and the way to its records."""
    view_of("bonus_statement")
    _require_fields("bonus_statement", "bonus_line")
    statement = g.records.get("bonus_statement", record_id)
    values = statement.values
    row = g.session.get_one(BonusStatement, record_id)  # the run, and who it is, may be withheld
    found = kept(g.session, row.run_id, g.actor).get(row.person_id)
    shown = list(found.lines) if found is not None else []
    currency = values["currency"] or g.edition.settings.currency
    sheet = _lines_sheet([("", line) for line in shown], currency, named=False)
    file = asked_file([sheet])
    if file is not None:
        return file
    return entity_page(
        "bonuses/statement.html",
        view_of("bonus_statement"),
        title=values["title"],
        inside=True,
        statement={
            "closed": values["state"] == CLOSED,
            "period": _label(values["period"]),
            "total": format_money(values["total"], currency),
            "lines": [_line(row, line, currency) for line in shown],
            "agrees": _sum(shown) == values["total"],
        },
        table=sheet.context(),
    )


def _require_fields(*entities: str) -> None:
    """Raises PermissionRefused where a field is withheld: a statement without it would not add up."""
    for name in entities:
        if g.edition.entity(name).fields.keys() != g.edition.whole.entity(name).fields.keys():
            raise PermissionRefused(_("These figures are made of fields that your role does not open"))


def _run(record_id: int) -> Record:
    view_of("bonus_run")
    _require_fields("bonus_run")
    return g.records.get("bonus_run", record_id)  # type: ignore[no-any-return]


def _sum(lines: Sequence[Line]) -> Any:
    return sum(line.amount for line in lines)


def _line(statement: BonusStatement, line: Line, currency: str) -> dict[str, Any]:
    known = words.sources(g.session, g.edition, line, statement.person_id, statement.unit_id)
    return {
        "title": words.title(line, g.edition),
        "how": words.how(line, g.edition, currency),
        "amount": amount_text(line.amount),
        "sources": [
            (one.title, f"{base()}/{one.entity}?{urlencode({'filter': json.dumps(one.rule)})}")
            for one in known
            if g.actor.may(one.entity, "read")
        ],
    }


def _lines_sheet(rows: Sequence[tuple[str, Line]], currency: str, *, named: bool) -> Sheet:
    """The lines of statements; with the person of each where they are of several."""
    heads = (_("Line"), _("How it is reckoned"), _("Amount"))
    texts, exact = [], []
    for person, line in rows:
        told = [words.title(line, g.edition), words.how(line, g.edition, currency)]
        texts.append([*([person] if named else []), *told, amount_text(line.amount)])
        exact.append([*([person] if named else []), *told, Money().to_json(line.amount)])
    return Sheet(
        name="lines",
        title=_("Lines"),
        heads=(_("Employee"), *heads) if named else heads,
        texts=texts,
        rows=exact,
        currency=currency,
        money=(len(heads) - 1 + named,),
        words=range(len(heads) - 1 + named),
    )


def _changed(before: Sequence[Line], after: Sequence[Line]) -> str:
    """The names of the lines that are others than before."""
    gone = [line for line in before if line not in after]
    new = [line for line in after if line not in before]
    return ", ".join(dict.fromkeys(words.title(line, g.edition) for line in [*new, *gone]))


def _names(ids: Sequence[int]) -> dict[int, str]:
    """The names of the people whose statements the reader may see."""
    query = sa.select(User.id, User.name).where(User.id.in_(ids))
    known = {row.id: row.name for row in g.session.execute(query)}
    return {one: known.get(one, f"#{one}") for one in ids}


def _label(period: str) -> str:
    try:
        return parse(period, g.edition.settings.fiscal_month).label
    except PeriodInvalid:
        return period


def _latest() -> list[dict[str, Any]]:
    """The latest statements that the reader may see, their own among them."""
    found = g.records.list("bonus_statement", sort=["-begins_on", "-total"], limit=LATEST).items
    return [
        {
            "title": one.values["title"],
            "period": _label(one.values["period"]),
            "total": format_money(one.values["total"], one.values["currency"] or ""),
            "closed": one.values["state"] == CLOSED,
            "url": f"{base()}/bonus_statement/{one.id}/lines",
        }
        for one in found
    ]


def _runs() -> list[dict[str, Any]]:
    _require_fields("bonus_run")
    found = g.records.list("bonus_run", sort=["-begins_on"], limit=LATEST).items
    return [
        {
            "title": one.values["title"],
            "people": format_number(one.values["statements"]),
            "total": format_money(one.values["total"], one.values["currency"] or ""),
            "closed": one.values["state"] == CLOSED,
            "url": f"{base()}/bonus_run/{one.id}/statements",
        }
        for one in found
    ]


def _schemes() -> list[dict[str, Any]]:
    """The schemes in use, each with the periods that it can be reckoned in."""
    in_use = {"field": "active", "op": "eq", "value": True}
    return [
        {
            "title": one.values["name"],
            "url": f"{base()}/bonus_scheme/{one.id}",
            "reckoning": reckoning(g.records, one.id),
        }
        for one in g.records.list("bonus_scheme", rule=in_use, sort=["name"], limit=LATEST).items
    ]


def _brought() -> list[dict[str, Any]]:
    return [
        {
            "title": str(one.title),
            "about": str(one.description or ""),
            "origin": origin(g.edition, one.owner),
            "url": f"{base()}/bonuses/{one.name}",
        }
        for one in g.edition.all(Brought).values()
    ]


def _run_words(run: Record, currency: str) -> str:
    """What a run came to, and when it was reckoned or closed."""
    values = run.values
    found = [format_money(values["total"], currency)]
    if values["closed_at"] is not None:
        found.append(str(_("closed %(moment)s", moment=format_datetime(values["closed_at"], inside=True))))
    elif values["reckoned_at"] is not None:
        found.append(
            str(_("reckoned %(moment)s", moment=format_datetime(values["reckoned_at"], inside=True)))
        )
    return " · ".join(found)


def _close_dialog(run: Record, problems: Sequence[str] = ()) -> str:
    text = _(
        "Its statements stay as they are for good. What changes later is a line of the next open period."
    )
    dialog = {
        "title": str(_("Close “%(title)s”?", title=run.values["title"])),
        "text": " ".join(problems) or str(text),
        "action": f"{base()}/bonus_run/{run.id}/close",
        "verb": str(_("Close the period")),
        "fields": [],
    }
    return dialog_form(dialog)
