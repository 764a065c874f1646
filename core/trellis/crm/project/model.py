"""The CRM-model board (PJ1): what the edition brings to each row of the model, and how much of it is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Contribution, Direction, Kpi, Level, Process, Script, Segment
from trellis.crm.customers.entities import Customer
from trellis.crm.products.entities import Product
from trellis.crm.project.rows import ROWS, ModelRow
from trellis.crm.sales.entities import Opportunity
from trellis.edition import HOOK_OF, Edition, EntityView
from trellis.i18n import Text, format_percent, plural_translator, translator
from trellis.kpi.targets import KpiTarget
from trellis.plugins import CORE
from trellis.process import versions
from trellis.process.responsibilities import ANSWERS, matrices, steps_of
from trellis.process.runs import starting
from trellis.process.tables import OPEN, ProcessInstance
from trellis.records.membership import SegmentMember
from trellis.records.query import ListQuery
from trellis.scripts.tables import ScriptRun
from trellis.security.actor import Actor
from trellis.security.people import Position, User

_ = translator("trellis")
_n = plural_translator("trellis")

COUNTED_UP_TO = 10_000


@dataclass(frozen=True)
class Item:
    """A row of the model in one workspace.

    ``coverage`` is a measured share 0..1, None where nothing is measured; ``set_up`` whether there is anything at all;
    ``contributions`` counts what was brought by kind; ``plugins`` are the names of those that brought something.
    """

    row: ModelRow
    coverage: float | None
    line: Text
    plugins: tuple[str, ...]
    contributions: Mapping[str, int]
    set_up: bool


@dataclass(frozen=True)
class ModelCell:
    """One of the 7 x 3 cells."""

    direction: Direction
    level: Level
    items: tuple[Item, ...]

    @property
    def coverage(self) -> float:
        """The mean of its rows; a row that is set up without a measure counts half."""
        shares = [_share(item) for item in self.items]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def set_up(self) -> bool:
        """Whether any row of the cell is set up."""
        return any(item.set_up for item in self.items)


@dataclass(frozen=True)
class ModelBoard:
    """The whole board."""

    cells: Mapping[tuple[Direction, Level], ModelCell]

    @property
    def coverage(self) -> float:
        """The share of the model that is in use: the mean over all rows."""
        shares = [_share(item) for cell in self.cells.values() for item in cell.items]
        return sum(shares) / len(shares)

    @property
    def cells_set_up(self) -> int:
        """How many of the 21 cells are set up."""
        return sum(cell.set_up for cell in self.cells.values())

    def of_direction(self, direction: Direction) -> float:
        """The coverage of one direction."""
        shares = [
            _share(item) for key, cell in self.cells.items() if key[0] == direction for item in cell.items
        ]
        return sum(shares) / len(shares)

    @property
    def next_item(self) -> Item | None:
        """The first row with a screen that is not set up."""
        items = [item for cell in self.cells.values() for item in cell.items]
        return next((item for item in items if item.row.path and not item.set_up), None)


@dataclass
class _Found:
    """What was found for one row while the board is made."""

    contributions: dict[str, int] = field(default_factory=dict)
    plugins: list[str] = field(default_factory=list)
    entities: list[EntityView] = field(default_factory=list)


def model_board(session: Session, edition: Edition, actor: Actor) -> ModelBoard:
    """Measures the board as the actor sees it; a fixed number of queries for an edition."""
    found = _gather(edition)
    cells: dict[tuple[Direction, Level], list[Item]] = {(d, le): [] for d in Direction for le in Level}
    for row in ROWS:
        cells[row.direction, row.level].append(_item(session, edition, actor, row, found[row.id]))
    return ModelBoard({key: ModelCell(key[0], key[1], tuple(items)) for key, items in cells.items()})


def places(items: Sequence[tuple[str, str] | None]) -> dict[tuple[str, str], int]:
    """How many of some contributions land in each cell: for the preview of a plugin."""
    counted: dict[tuple[str, str], int] = {}
    for place in items:
        if place is not None:
            counted[place] = counted.get(place, 0) + 1
    return counted


def _share(item: Item) -> float:
    return item.coverage if item.coverage is not None else 0.5 if item.set_up else 0.0


def _gather(edition: Edition) -> dict[str, _Found]:
    found = {row.id: _Found() for row in ROWS}
    for view in edition.entities.values():
        if view.info.row in found:
            found[view.info.row].entities.append(view)
            _credit(found[view.info.row], "entity", view.owner)
    for kind, hook in HOOK_OF.items():
        for one in edition.all(kind).values():
            row = _row_of(kind, one)
            if row in found:
                _credit(found[row], hook.removeprefix("trellis_"), one.owner)
    return found


def _credit(found: _Found, kind: str, owner: str) -> None:
    found.contributions[kind] = found.contributions.get(kind, 0) + 1
    if owner != CORE and owner not in found.plugins:
        found.plugins.append(owner)


def _row_of(kind: type[Contribution], one: Contribution) -> str:
    if kind is Kpi:
        return "MG6"
    if kind is Segment:
        return "CU1"
    if kind is Process:
        return "MG3"
    return one.cell.row if one.cell else ""


def _item(session: Session, edition: Edition, actor: Actor, row: ModelRow, found: _Found) -> Item:
    measure = _MEASURES.get(row.id)
    counts = [
        _count(session, edition, actor, view) for view in found.entities if actor.may(view.name, "read")
    ]
    if measure is not None:
        coverage, line, set_up = measure(session, edition, actor, found, sum(counts))
    else:
        coverage, line, set_up = None, _line(row, found, counts), any(counts)
    return Item(row, coverage, line, tuple(found.plugins), dict(found.contributions), set_up)


def _count(session: Session, edition: Edition, actor: Actor, view: EntityView) -> int:
    return session.scalar(ListQuery(view, edition, actor).count_statement(limit=COUNTED_UP_TO)) or 0


def _line(row: ModelRow, found: _Found, counts: Sequence[int]) -> Text:
    if counts and sum(counts):
        return _n("%(num)s record", "%(num)s records", sum(counts))
    brought = sum(number for kind, number in found.contributions.items() if kind != "entity")
    if brought:
        return _n("%(num)s brought by the edition", "%(num)s brought by the edition", brought)
    return _("Nothing yet") if found.entities or row.path else _("Comes with a later version")


_Measured = tuple[float | None, Text, bool]
_Measure = Callable[[Session, Edition, Actor, _Found, int], _Measured]


def _share_of(session: Session, part: Any, entity: Any, actor: Actor) -> float | None:
    """The share of the visible records of an entity for which ``part`` has a value."""
    query = sa.select(sa.func.count(), sa.func.count(part)).where(
        entity.deleted_at.is_(None), actor.visible(entity)
    )
    total, having = session.execute(query).one()
    return having / total if total else None


def _structure(session: Session, _edition: Edition, actor: Actor, _found: _Found, _count: int) -> _Measured:
    filled = _share_of(session, Position.holder_id, Position, actor)
    if filled is not None:
        return filled, _("%(share)s of positions filled", share=_percent(filled)), True
    placed = _share_of(session, User.unit_id, User, actor)
    return placed, _("%(share)s of people are in a unit", share=_percent(placed or 0)), bool(placed)


def _kpis(session: Session, edition: Edition, _actor: Actor, _found: _Found, _count: int) -> _Measured:
    number = len(edition.all(Kpi))
    planned = (
        session.scalar(
            sa.select(sa.func.count(KpiTarget.kpi.distinct())).where(
                KpiTarget.deleted_at.is_(None), KpiTarget.value.is_not(None)
            )
        )
        or 0
    )
    line = _n(
        "%(num)s KPI, %(planned)s with targets",
        "%(num)s KPIs, %(planned)s with targets",
        number,
        planned=planned,
    )
    return min(1.0, planned / number) if number else None, line, number > 0


def _segments(session: Session, edition: Edition, actor: Actor, _found: _Found, _count: int) -> _Measured:
    number = len(edition.all(Segment))
    ours = [name for name, one in edition.all(Segment).items() if one.entity == "customer"]
    member = sa.exists().where(SegmentMember.record_id == Customer.id, SegmentMember.segment.in_(ours))
    covered = _share_of(session, sa.case((member, 1)), Customer, actor)
    if covered is None:
        return None, _n("%(num)s segment", "%(num)s segments", number), False
    line = _n(
        "%(num)s segment, %(share)s of customers",
        "%(num)s segments, %(share)s of customers",
        number,
        share=_percent(covered),
    )
    return covered, line, number > 0 and covered > 0


def _profiles(session: Session, edition: Edition, _actor: Actor, _found: _Found, _count: int) -> _Measured:
    ours = [name for name, one in edition.all(Segment).items() if one.entity == "customer"]
    filled = sa.select(sa.func.count(SegmentMember.segment.distinct())).where(SegmentMember.segment.in_(ours))
    number = session.scalar(filled) or 0
    line = _n("%(num)s segment compared with all", "%(num)s segments compared with all", number)
    return (number / len(ours), line, True) if number else (None, _("No segment has members yet"), False)


def _portfolio(session: Session, _edition: Edition, actor: Actor, _found: _Found, _count: int) -> _Measured:
    classed = _share_of(session, Product.abc, Product, actor)
    if not classed:
        return None, _("Not computed yet"), False
    return classed, _("ABC class for %(share)s of products", share=_percent(classed)), True


def _significance(
    session: Session, _edition: Edition, actor: Actor, _found: _Found, _count: int
) -> _Measured:
    scored = _share_of(session, Customer.rfm_code, Customer, actor)
    if not scored:
        return None, _("Not computed yet"), False
    return scored, _("RFM for %(share)s of customers", share=_percent(scored)), True


def _products(session: Session, _edition: Edition, actor: Actor, _found: _Found, count: int) -> _Measured:
    priced = _share_of(session, Product.price, Product, actor)
    if priced is None:
        return None, _("No products yet"), False
    return (
        priced,
        _n(
            "%(num)s record, %(share)s priced",
            "%(num)s records, %(share)s priced",
            count,
            share=_percent(priced),
        ),
        True,
    )


def _funnel(session: Session, _edition: Edition, actor: Actor, _found: _Found, count: int) -> _Measured:
    dated = _share_of(session, sa.case((Opportunity.amount.is_not(None), 1)), Opportunity, actor)
    if dated is None:
        return None, _("No opportunities yet"), False
    return (
        dated,
        _n(
            "%(num)s record, %(share)s with an amount",
            "%(num)s records, %(share)s with an amount",
            count,
            share=_percent(dated),
        ),
        True,
    )


def _percent(share: float) -> str:
    return format_percent(share, 0)


def _processes(session: Session, edition: Edition, _actor: Actor, _found: _Found, _count: int) -> _Measured:
    known = list(edition.all(Process))
    if not known:
        return None, _("No processes yet"), False
    used = sa.select(
        sa.func.count(ProcessInstance.process.distinct()),
        sa.func.count(sa.case((ProcessInstance.state.in_(OPEN), 1))),
    ).where(ProcessInstance.process.in_(known))
    started, running = session.execute(used).one()
    line = _n(
        "%(num)s process, %(running)s running",
        "%(num)s processes, %(running)s running",
        len(known),
        running=running,
    )
    return started / len(known), line, started > 0


def _matrices(session: Session, edition: Edition, actor: Actor, _found: _Found, _count: int) -> _Measured:
    """Of the steps that people do in the processes that start, for how many a position answers."""
    steps = {
        (one.name, step)
        for one in starting(edition)
        if not one.given
        for step in steps_of(versions.present(edition, one))
    }
    if not steps:
        return None, _("No processes yet"), False
    known = matrices(session, actor, {process for process, _step in steps})
    answered = {
        (process, step)
        for process, cells in known.items()
        for (step, _position), letter in cells.items()
        if letter == ANSWERS
    }
    share = len(answered & steps) / len(steps)
    if not share:
        return None, _("Nobody answers for a step yet"), False
    return share, _("Somebody answers for %(share)s of steps", share=_percent(share)), True


def _scripts(session: Session, edition: Edition, actor: Actor, _found: _Found, count: int) -> _Measured:
    """Of those that are offered, how many were run."""
    known = edition.all(Script)
    offered = known.keys() - {one.replaces for one in known.values()}
    if not offered:
        return None, _("No scripts yet"), False
    run = ScriptRun.script.in_(offered), ScriptRun.deleted_at.is_(None), actor.visible(ScriptRun)
    used = session.scalar(sa.select(sa.func.count(ScriptRun.script.distinct())).where(*run)) or 0
    line = _n(
        "%(num)s script, %(talks)s conversations",
        "%(num)s scripts, %(talks)s conversations",
        len(offered),
        talks=count,
    )
    return used / len(offered), line, used > 0


_MEASURES: Mapping[str, _Measure] = {
    "MG2": _structure,
    "MG3": _processes,
    "MG5": _matrices,
    "MG6": _kpis,
    "MK4": _scripts,
    "CU1": _segments,
    "CU3": _profiles,
    "CU4": _significance,
    "PR1": _products,
    "PR3": _portfolio,
    "SA3": _funnel,
}
