"""Moving customers through the stages of their lifecycle by rules (CU5): all of them together, or a few with a write.

Moves are written into the history and the event log, so that the audit trail, webhooks and processes know of them. Who is
given a stage for the first time has not moved. A stage that somebody chose is held: rules leave it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers import stays
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.stages import FIELD
from trellis.crm.customers.stays import BEGINNING, STAY
from trellis.crm.marketing.journeys import hearing
from trellis.edition import Edition
from trellis.kpi.periods import today_in
from trellis.process import listening
from trellis.records.bulk import among
from trellis.records.door import Records
from trellis.records.events import FOLLOWED, MERGING, BeforeSave, Change, Saved
from trellis.records.joins import Joins, source, table_of
from trellis.records.journal import EVENTS, signed
from trellis.records.rules import Leaf, Predicate, RuleContext, parse, to_predicate, to_sql, walk
from trellis.records.types import JsonData, UtcDateTime
from trellis.security.actor import SYSTEM
from trellis.settings.stages import rules_of

_CUSTOMER = cast(sa.Table, Customer.__table__)
_customer, _stay = _CUSTOMER.c, STAY.c
_LOADING = ("import", "system")
"""What is loaded moves nobody at once: the history comes in pieces."""
MOST = 200
"""Customers that are looked at within one write; more are left to the next time that all are."""
AT_ONCE = 500

Moves = Mapping[tuple[str, str], int]
"""How many customers went from a stage to another."""


def hold(event: BeforeSave) -> None:
    """A stage that is given with a write is held from then on, unless the write says otherwise; one taken away is not.

    A new customer without one is written with the stage of the rules, where its own fields decide it.
    """
    values = event.values
    if event.action == "created" and values.get(FIELD) is None:
        _begin(event)
    elif event.action in ("created", "updated") and FIELD in values:
        _keep(event)
    if event.action == "created" and values.get(FIELD) is not None:
        event.beside.append(stays.first(values))


def _keep(event: BeforeSave) -> None:
    values, before = event.values, event.before
    if values[FIELD] == before.get(FIELD):
        return
    values["stage_since"] = datetime.now(UTC)
    held = bool(before.get("stage_held"))
    if event.session.info.get(MERGING) is None and bool(values.get("stage_held", held)) is held:
        values["stage_held"] = values[FIELD] is not None


def _begin(event: BeforeSave) -> None:
    edition, values = event.edition, event.values
    if event.actor.source in _LOADING:
        return
    today = _today(edition)
    fits: Sequence[tuple[str, Predicate]] = edition.cached(
        ("first stages", today), lambda: _predicates(edition, today)
    )
    row = dict.fromkeys(edition.entity("customer").fields) | values
    stage = next((stage for stage, fit in fits if fit(row)), None)
    if stage is not None:
        values.update({FIELD: stage, "stage_since": datetime.now(UTC)})


def _predicates(edition: Edition, today: date) -> list[tuple[str, Predicate]]:
    """The rules of the stages over a customer's own values, the furthest first; none where a rule asks for more than these."""
    view, context = edition.entity("customer"), RuleContext(edition=edition, actor=SYSTEM, today=today)
    found = []
    for one in reversed(rules_of(edition).values()):
        try:
            found.append((one.stage, to_predicate(parse(one.rule, view, edition), context)))
        except ValueError:
            return []
    return found


def follow(event: Saved, touched: Collection[int] = ()) -> None:
    """Moves the customers that a write concerns. ``touched`` are those whose figures it has changed."""
    if event.entity == "customer":
        stays.note(event)
    if event.actor.source in _LOADING:
        return
    ids = {*touched}
    if event.entity == "customer":
        ids.update(change.id for change in event.changes if _matters(event.edition, change))
    if ids and len(ids) <= MOST:
        _move_some(event, sorted(ids))


def refresh(
    session: Session, edition: Edition, today: date | None = None, now: datetime | None = None
) -> Moves:
    """Moves all customers that do not stand where the rules say; a fixed number of statements, however many they are.

    ``today`` is the day of the rules, ``now`` the moment of the moves: the present, but for a history that is made up.
    """
    now = now or datetime.now(UTC)
    last = session.scalar(sa.select(sa.func.coalesce(sa.func.max(_stay.id), 0)))
    placed = (
        _placed(edition, today or _today(edition)).where(_customer.created_at <= now).subquery("placed").c
    )
    since = sa.literal(now if last else None, UtcDateTime())
    moving = sa.select(placed.id, placed.stage, since).where(placed.stage.is_distinct_from(placed.present))
    beginning = sa.insert(STAY).from_select(BEGINNING, moving).execution_options(preserve_rowcount=True)
    if not session.execute(beginning).rowcount:  # type: ignore[attr-defined]
        return {}
    began = (
        sa.select(_stay.customer_id, _stay.stage, _stay.entered_at).where(_stay.id > last).subquery("began")
    )
    moves = _moves(session, began)
    if moves:
        _log(session, began, moves, now)
        _tell_listeners(session, edition, began)
        session.info[FOLLOWED] = session.info.get(FOLLOWED) or edition.followed
    values = _moved(began.c.stage, began.c.entered_at, now)
    session.execute(sa.update(_CUSTOMER).where(_customer.id == began.c.customer_id).values(**values))
    stays.end(session, _stay.id <= last, _stay.customer_id.in_(sa.select(began.c.customer_id)))
    return moves


def _placed(edition: Edition, today: date, *, few: bool = False) -> sa.Select[Any]:
    """A row for each customer whose stage is not held: ``id``, its ``present`` stage, and the ``stage`` by the rules."""
    view = edition.entity("customer")
    root = source(view.entity)
    joins = Joins(root, view, edition, SYSTEM)
    context = RuleContext(edition=edition, actor=SYSTEM, today=today, few=few)
    furthest = reversed(rules_of(edition).values())
    fits = [(to_sql(parse(one.rule, view, edition), joins, context), one.stage) for one in furthest]
    present = _customer[FIELD]
    stage = sa.case(*fits, else_=present).label("stage")
    query: sa.Select[Any] = sa.select(_customer.id, present.label("present"), stage).select_from(
        table_of(root)
    )
    return joins.add_to(query).where(_customer.deleted_at.is_(None), _customer.stage_held.is_not(sa.true()))


def _move_some(event: Saved, ids: Sequence[int]) -> None:
    """Moves those of ``ids`` that do not stand where the rules say, through the door."""
    session, edition, today = event.session, event.edition, _today(event.edition)
    query = edition.cached(("stages of few", today), lambda: _placed(edition, today, few=True))
    rows = session.execute(query.where(among(session, _customer.id, ids))).all()
    moving = [row for row in rows if row.stage != row.present]
    now = datetime.now(UTC)
    for stage in dict.fromkeys(row.stage for row in moving):
        some = [row.id for row in moving if row.stage == stage]
        values = _moved(stage, now, now)
        session.execute(sa.update(_CUSTOMER).where(among(session, _customer.id, some)).values(**values))
    if moving:
        told = [Change(row.id, "updated", {FIELD: (row.present, row.stage)}) for row in moving]
        Records(session, edition, SYSTEM).tell("customer", told)


def _moved(stage: Any, since: Any, now: datetime) -> dict[str, Any]:
    """What changes on a customer. A first stage is a figure that was missing: nobody's form is out of date for it."""
    known = _customer[FIELD].is_not(None)
    return {
        FIELD: stage,
        "stage_since": since,
        "version": _customer.version + sa.case((known, 1), else_=0),
        "updated_at": sa.case((known, sa.literal(now, UtcDateTime())), else_=_customer.updated_at),
    }


def _matters(edition: Edition, change: Change) -> bool:
    """Whether a change of a customer can move it."""
    if change.action == "created":
        return FIELD not in change.changes
    if change.action != "updated":
        return change.action == "restored"
    return not _read(edition).isdisjoint(change.changes)


def _read(edition: Edition) -> frozenset[str]:
    """The fields of a customer that the rules read, and the one that lets a stage go."""

    def make() -> frozenset[str]:
        view = edition.entity("customer")
        nodes = [node for one in rules_of(edition).values() for node in walk(parse(one.rule, view, edition))]
        paths = [node.path for node in nodes if isinstance(node, Leaf)]
        return frozenset(["stage_held", *((*path.hops, path.field)[0].name for path in paths)])

    return edition.cached("fields of stages", make)  # type: ignore[no-any-return]


def _moves(session: Session, began: sa.Subquery) -> Moves:
    """How many of those who begin a stay come from another one."""
    present = _customer[FIELD]
    query = (
        sa.select(present, began.c.stage, sa.func.count())
        .where(_customer.id == began.c.customer_id, present.is_not(None))
        .group_by(present, began.c.stage)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def _log(session: Session, began: sa.Subquery, moves: Moves, now: datetime) -> None:
    """Puts the moves into the event log, before the customers change."""
    present = _customer[FIELD]
    said = [
        (sa.and_(present == before, began.c.stage == after), sa.literal({FIELD: [before, after]}, JsonData))
        for before, after in moves
    ]
    fixed = {**signed(SYSTEM, "customer"), "action": "updated", "at": now}
    columns = [sa.literal(value, EVENTS.c[name].type).label(name) for name, value in fixed.items()]
    logged = sa.select(*columns, _customer.id, sa.case(*said)).where(
        _customer.id == began.c.customer_id, present.is_not(None)
    )
    session.execute(sa.insert(EVENTS).from_select([*fixed, "record_id", "changes"], logged))


def _tell_listeners(session: Session, edition: Edition, began: sa.Subquery) -> None:
    """Lets processes and journeys know that listen to customers; nobody is read where none does."""
    if not any(one.is_heard(session, edition, "customer") for one in (listening, hearing)):
        return
    present = _customer[FIELD]
    query = sa.select(_customer.id, present, began.c.stage).where(
        _customer.id == began.c.customer_id, present.is_not(None)
    )
    for part in session.execute(query.order_by(_customer.id)).partitions(AT_ONCE):
        changes = tuple(Change(row[0], "updated", {FIELD: (row[1], row[2])}) for row in part)
        event = Saved(entity="customer", changes=changes, session=session, edition=edition, actor=SYSTEM)
        listening.note(event)
        hearing.note(event)


def _today(edition: Edition) -> date:
    return today_in(ZoneInfo(edition.settings.timezone))
