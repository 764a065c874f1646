"""Runs of a bonus scheme: reckoned, reckoned again with what differs shown, and closed.

A closed run is never changed. What is reckoned otherwise afterwards (an order corrected later, a return) is a line of the
earliest open run behind it; rules, plans and people of the closed period are those it was closed with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from trellis.contributions import BonusScheme as Brought
from trellis.crm.sales.bonuses.entities import CLOSED, CORRECTION, MONTHLY, OPEN, BonusRun, BonusScheme
from trellis.crm.sales.bonuses.kept import Statement, corrected, door, kept, write
from trellis.crm.sales.bonuses.measures import Measures
from trellis.crm.sales.bonuses.reckoning import Line, reckon, total
from trellis.crm.sales.bonuses.terms import Terms, adopted, parts_of, scheme_row, versions_of
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordInvalid
from trellis.i18n import translator
from trellis.kpi.periods import Grain, Period, PeriodInvalid, containing, parse, today_in
from trellis.records.door import Records, Write
from trellis.records.query import ListQuery, Record
from trellis.security.actor import SYSTEM
from trellis.security.people import User
from trellis.security.roles import units_below

_ = translator("trellis")

CORRECTED = 12
"""So many closed periods back are reckoned anew."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a person's statement holds, and what it would be now."""

    person: int
    before: Sequence[Line]
    after: Sequence[Line]

    @property
    def amount(self) -> Decimal:
        """By how much it would change."""
        return total(self.after) - total(self.before)


def adopt(records: Records, brought: Brought) -> int:
    """Makes a scheme that the edition brings the organisation's own. Returns its id."""
    scheme, parts = adopted(brought)
    with records.whole():
        made = records.create("bonus_scheme", scheme).id
        records.save("bonus_part", [Write(values={**one, "scheme": made}) for one in parts])
    return made


def calculate(records: Records, scheme_id: int, period: str) -> Record:
    """Reckons a scheme in a period: makes its run, or brings an open one up to date. Returns the run.

    Raises RecordInvalid for a period that is not one of the scheme's, Conflict for a closed one, PermissionRefused.
    """
    records.actor.require("bonus_run", "create")
    records.get("bonus_scheme", scheme_id)
    scheme = scheme_row(records.session, scheme_id)
    known = _period_of(records.edition, scheme, period)
    query = sa.select(BonusRun).where(BonusRun.scheme_id == scheme_id, BonusRun.period == known.code)
    run = records.session.scalar(query.execution_options(populate_existing=True))
    with door(records) as mine:
        if run is not None and run.deleted_at is not None:
            mine.restore("bonus_run", run.id)
        new = _new_run(records.edition, scheme, known)
        run_id = run.id if run is not None else mine.create("bonus_run", {}, new).id
        _apply(mine, _open_run(records.session, run_id))
    return records.get("bonus_run", run_id)


def differences(records: Records, run_id: int) -> list[Difference]:
    """What would change if an open run were reckoned now. Raises Conflict for a closed one, PermissionRefused."""
    _require(records, run_id)
    run = _open_run(records.session, run_id, held=False)
    return _differences(records.session, records.edition, run, kept(records.session, run_id))[1]


def recalculate(records: Records, run_id: int) -> int:
    """Brings an open run up to date; how many statements changed. Raises Conflict for a closed one, PermissionRefused."""
    _require(records, run_id)
    with door(records) as mine:
        return _apply(mine, _open_run(records.session, run_id))


def close(records: Records, run_id: int) -> Record:
    """Closes a run for good. Raises Conflict before its period has ended, and where it would be reckoned otherwise now."""
    _require(records, run_id)
    session, edition = records.session, records.edition
    run = _open_run(session, run_id)
    if _period(edition, run).end > _today(edition):
        raise Conflict(_("The period is not over yet"))
    present = kept(session, run.id)
    terms, changed = _differences(session, edition, run, present)
    if changed:
        raise Conflict(_("Figures have changed since this was reckoned; look at what differs first"))
    stamp = {"state": CLOSED, "closed_at": datetime.now(UTC), "closed_by": records.actor.user_id}
    measures = Measures(session=session, edition=edition, terms=terms, period=_period(edition, run))
    final = replace(terms, plans=measures.plans())
    with door(records) as mine:
        mine.update("bonus_run", run.id, {}, kept={**stamp, "terms": final.to_json()})
        ids = [one.id for one in present.values() if one.id is not None and not one.binned]
        mine.save("bonus_statement", [Write(id=one, values={}, kept={"state": CLOSED}) for one in ids])
    return mine.get("bonus_run", run_id)


def periods_of(edition: Edition, scheme: BonusScheme, today: date) -> list[Period]:
    """The periods that a scheme is usually reckoned in: the running one and those before it, the latest first."""
    grain = Grain.MONTH if scheme.rhythm == MONTHLY else Grain.QUARTER
    running = containing(today, grain, edition.settings.fiscal_month)
    return [one for one in reversed(running.until(CORRECTED)) if _holds(scheme, one)]


def _require(records: Records, run_id: int) -> None:
    """Raises RecordNotFound or PermissionRefused unless the actor may change the run."""
    run = records.get("bonus_run", run_id)
    if not records.actor.reaches("bonus_run", "update", {**run.values, "id": run.id}):
        raise PermissionRefused()


def _open_run(session: Session, run_id: int, *, held: bool = True) -> BonusRun:
    """The run, ``held`` by this transaction until it ends. Raises Conflict for a closed one."""
    query = sa.select(BonusRun).where(BonusRun.id == run_id)
    query = query.with_for_update() if held else query
    run = session.scalars(query.execution_options(populate_existing=True)).one()
    if run.state != OPEN:
        raise Conflict(_("This period is closed; what changes is a line of the next open one"))
    return run


def _apply(records: Records, run: BonusRun) -> int:
    """Writes what differs, and the terms it was reckoned by; how many statements that were."""
    present = kept(records.session, run.id)
    terms, changed = _differences(records.session, records.edition, run, present)
    wanted = {one.person: one.after for one in changed if one.after}
    whole = {person: one.lines for person, one in present.items() if not one.binned} | wanted
    gone = {one.person for one in changed if not one.after}
    statements = {person: lines for person, lines in whole.items() if person not in gone}
    if changed:
        write(records, run, present, statements)
    figures = {
        "statements": len(statements),
        "total": sum((total(lines) for lines in statements.values()), Decimal(0)),
        "terms": terms.to_json(),
        "reckoned_at": datetime.now(UTC),
    }
    records.update("bonus_run", run.id, {}, kept=figures)
    return len(changed)


def _differences(
    session: Session, edition: Edition, run: BonusRun, kept_now: Mapping[int, Statement]
) -> tuple[Terms, list[Difference]]:
    """The terms as they are now, and the statements that would be other ones by them."""
    scheme = scheme_row(session, run.scheme_id)
    terms = _terms(session, edition, scheme)
    wanted = _reckoned(session, edition, terms, _period(edition, run))
    for person, lines in _corrections(session, edition, run).items():
        wanted[person] = [*wanted.get(person, []), *lines]
    present = {person: one for person, one in kept_now.items() if not one.binned}
    found = []
    for person in dict.fromkeys([*wanted, *present]):
        before = present[person].lines if person in present else []
        after = wanted.get(person, [])
        if list(before) != list(after) or (person in present) != (person in wanted):
            found.append(Difference(person=person, before=before, after=after))
    return terms, found


def _terms(session: Session, edition: Edition, scheme: BonusScheme) -> Terms:
    """The terms of a scheme as they are now. Raises Conflict where a KPI is no part of the edition any more."""
    terms = Terms(parts=parts_of(session, scheme.id), people=_people(session, edition, scheme))
    versions = versions_of(edition, terms.kpis)
    missing = sorted(terms.kpis - versions.keys())
    if missing:
        raise Conflict(_("The KPI “%(name)s” of this scheme is not part of the edition", name=missing[0]))
    return replace(terms, versions=versions)


def _reckoned(session: Session, edition: Edition, terms: Terms, period: Period) -> dict[int, list[Line]]:
    """The lines of everybody who takes part."""
    digits = get_currency_precision(edition.settings.currency)
    measures = Measures(session=session, edition=edition, terms=terms, period=period)
    return {
        person: reckon(terms.parts, figures, period.code, digits)
        for person, figures in measures.figures.items()
    }


def _corrections(session: Session, edition: Edition, run: BonusRun) -> dict[int, list[Line]]:
    """What closed periods of the scheme count otherwise now, in the earliest open run behind each of them."""
    query = sa.select(BonusRun).where(
        BonusRun.scheme_id == run.scheme_id,
        BonusRun.begins_on < run.begins_on,
        BonusRun.deleted_at.is_(None),
    )
    earlier = session.scalars(query.order_by(BonusRun.begins_on.desc()).limit(CORRECTED + 1)).all()
    found: dict[int, list[Line]] = {}
    for closed in earlier[:CORRECTED]:
        if closed.state == OPEN:
            break  # those before it are corrected there
        for person, line in _corrected(session, edition, closed).items():
            found.setdefault(person, []).append(line)
    return found


def _corrected(session: Session, edition: Edition, closed: BonusRun) -> dict[int, Line]:
    """The correction of one closed run by person: what it would come to now, less what was stated and corrected before."""
    terms = Terms.from_json(closed.terms or {})
    if versions_of(edition, terms.kpis) != terms.versions:
        return {}  # what is counted otherwise by definition is no correction
    now = _reckoned(session, edition, terms, _period(edition, closed))
    before = corrected(session, closed.scheme_id, closed.period)
    found = {}
    for person, one in kept(session, closed.id).items():
        stated = total([line for line in one.lines if line.kind != CORRECTION])
        due, known = total(now.get(person, [])), stated + before.get(person, Decimal(0))
        if due != known and not one.binned:
            basis = {"due": str(due), "known": str(known)}
            found[person] = Line(
                name=str(_("Correction")),
                kind=CORRECTION,
                period=closed.period,
                amount=due - known,
                basis=basis,
            )
    return found


def _people(session: Session, edition: Edition, scheme: BonusScheme) -> list[tuple[int, int | None]]:
    """Who takes part, with the unit of each."""
    query = sa.select(User.id, User.unit_id).where(User.deleted_at.is_(None), User.active)
    if scheme.of_unit_id is not None:
        query = query.where(User.unit_id.in_(units_below(session, scheme.of_unit_id)))
    if scheme.people is not None:
        fitting = ListQuery(edition.entity("user"), edition, SYSTEM, rule=scheme.people)
        query = query.where(User.id.in_(fitting.select(User.__table__.c.id)))
    return [(row.id, row.unit_id) for row in session.execute(query.order_by(User.id))]


def _period_of(edition: Edition, scheme: BonusScheme, text: str) -> Period:
    """The period that was asked for. Raises RecordInvalid."""
    try:
        period = parse(text, edition.settings.fiscal_month)
    except PeriodInvalid as error:
        raise RecordInvalid({"period": [str(error)]}) from None
    grain = Grain.MONTH if scheme.rhythm == MONTHLY else Grain.QUARTER
    if period.grain is not grain:
        example = "2026-10" if grain is Grain.MONTH else "2026-Q3"
        raise RecordInvalid(
            {"period": [_("This scheme needs a period such as %(example)s", example=example)]}
        )
    if not _holds(scheme, period):
        raise RecordInvalid({"period": [_("The scheme does not hold in this period")]})
    if period.first > _today(edition):
        raise RecordInvalid({"period": [_("The period has not begun")]})
    return period


def _holds(scheme: BonusScheme, period: Period) -> bool:
    begins = scheme.valid_from is None or period.first >= scheme.valid_from
    return begins and (scheme.valid_to is None or period.first <= scheme.valid_to)


def _new_run(edition: Edition, scheme: BonusScheme, period: Period) -> Mapping[str, object]:
    return {
        "title": f"{scheme.name}, {period.code}"[:300],
        "scheme": scheme.id,
        "period": period.code,
        "begins_on": period.first,
        "currency": edition.settings.currency,
        "unit": scheme.unit_id,
    }


def _period(edition: Edition, run: BonusRun) -> Period:
    return parse(run.period, edition.settings.fiscal_month)


def _today(edition: Edition) -> date:
    return today_in(ZoneInfo(edition.settings.timezone))
