"""What a plugin can bring: frozen, typed contributions, returned by the hooks of :mod:`trellis.hookspecs`.

Names are ``plugin.name`` (``gym.average_visit``); the core's are bare (``revenue``). ``cell`` says where the
contribution stands in the CRM model; ``row`` is the id of the row of the model (``AN4``, ``SA3``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trellis.i18n import Text as Label

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from trellis.demo import DemoContext
    from trellis.kpi.income import IncomeDay, IncomeQuery
    from trellis.kpi.query import KpiQuery
    from trellis.process.operations import OperationCall
    from trellis.records.door import Records
    from trellis.records.entity import Entity
    from trellis.records.types import FieldType
    from trellis.segments.query import SegmentQuery

Rule = Mapping[str, Any]


class Direction(StrEnum):
    """The seven directions of the CRM model, in their fixed order."""

    MANAGEMENT = "management"
    MARKET = "market"
    CUSTOMERS = "customers"
    PRODUCTS = "products"
    MARKETING = "marketing"
    SALES = "sales"
    SERVICE = "service"


class Level(StrEnum):
    """The three levels on which each direction is run."""

    STRATEGY = "strategy"
    TACTICS = "tactics"
    OPERATIONS = "operations"


@dataclass(frozen=True)
class Cell:
    """A place in the CRM model; ``row`` names the row (``SA3``) where it is known."""

    direction: Direction
    level: Level
    row: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Who a plugin is: the module-level ``manifest`` of its entry point.

    - ``name``: short name, prefix of all its contributions (``retail``);  ``kind``: ``vertical`` or ``capability``
    - ``core``: versions of the core it works with (``>=0.1,<1``);  ``requires``: other plugins, by name
    - ``package``: its import package; texts are translated and migrations found there
    - ``icon``: Lucide name;  ``tone``: chart colour slot (violet, rose, teal, warn, info, good)
    """

    name: str
    title: Label
    version: str
    package: str
    kind: str = "vertical"
    summary: Label | None = None
    vendor: str = ""
    core: str = ""
    requires: Sequence[str] = ()
    icon: str = "puzzle"
    tone: str = "info"


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """Base of contributions. ``owner`` is filled in by the edition: ``core`` or the plugin's name."""

    name: str
    title: Label
    description: Label | None = None
    cell: Cell | None = None
    owner: str = "core"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a lifecycle.

    ``kind`` is ``open``, ``won``, ``lost`` or ``done`` (closed stages fold on the board); ``probability`` in 0..1;
    ``requires`` are fields that must have a value to enter; ``days`` the usual time in it; ``moves`` the stages one can
    go to from here (empty: any).
    """

    value: str
    title: Label
    kind: str = "open"
    probability: float | None = None
    requires: Sequence[str] = ()
    days: int | None = None
    moves: Sequence[str] = ()
    tone: str = "neutral"


@dataclass(frozen=True, kw_only=True)
class Lifecycle(Contribution):
    """The stages of an entity and the moves between them; gives it a board.

    ``field`` is the choice (or text) field that holds the stage. Several lifecycles of one entity are told apart by
    ``when`` = (field, value): an opportunity's funnel is chosen by its field ``funnel``. ``kpi`` is what the records that
    are won add up to; its target stands as the plan in the forecast above the board.

    Where event logs are imported, each row holds a stage and, in the field ``at``, when it was reached.
    ``replay(session, values, steps)`` is given what the rows say of the record and its steps as (moment, stage), in the order
    of time, and returns the fields that follow from them.
    """

    entity: str
    field: str = "stage"
    stages: Sequence[Stage] = ()
    when: tuple[str, str] | None = None
    kpi: str | None = None
    at: str = ""
    replay: (
        Callable[[Session, Mapping[str, Any], Sequence[tuple[datetime, str]]], Mapping[str, Any]] | None
    ) = None


@dataclass(frozen=True, kw_only=True)
class StageRule(Contribution):
    """When a customer stands in a ``stage`` of the customer lifecycle: where it fits ``rule``.

    A customer stands in the furthest stage whose rule it fits. The stages are, in their order, ``prospect``, ``new``,
    ``active``, ``loyal``, ``at_risk`` and ``lost``. A rule of a plugin takes the place of the core's, and the
    organisation's takes the place of both.
    """

    stage: str
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Segment(Contribution):
    """A dynamic set of records of ``entity``, by ``rule`` or by ``select`` (a query that returns their ids).

    Members by a rule follow each write. Those by a select do when ``watches`` says which records change them, as entity ->
    the field that leads to the record of the segment (``{"order": "customer"}``; ``id`` on the entity itself), and the
    select limits itself with ``q.among(<column of ids>)``; without it they are counted anew when somebody looks.
    ``listed`` marks a list of chosen members, which an organisation keeps. ``tone`` colours its dot.
    """

    entity: str = "customer"
    rule: Rule | None = None
    select: Callable[[SegmentQuery], sa.Select[Any]] | None = None
    watches: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False
    tone: str = "neutral"


class Unit(StrEnum):
    """What a KPI's value is measured in. Percent values are ratios 0..1."""

    MONEY = "money"
    PERCENT = "percent"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"
    RATIO = "ratio"
    POINTS = "points"


@dataclass(frozen=True, kw_only=True)
class Kpi(Contribution):
    """A measure computed in SQL over a period.

    ``select`` returns a select of one column, the value; it limits itself with ``q.during(<date column>)`` and
    ``q.visible(<entity>)``. Where ``entity`` is given, the engine splits the same select by unit, person, channel or
    segment and lists the records behind a figure; where ``date`` is given too, by time. Both must stand in the FROM of
    the select itself, not only inside a subquery; leave them out where records cannot be told apart (retention).
    ``breakdowns`` adds or replaces keys: name -> column of the select, or a :class:`Field` of ``entity``.
    ``rule`` is what the select asks of the records of ``entity`` beside that: the list behind a figure then has exactly its
    records. ``formula`` says in words how it is counted. ``higher_is_better`` gives deviations their sign.

    Instead of ``select`` an ``expression`` over other KPIs may be given: ``"retail.items / orders"``.
    """

    select: Callable[[KpiQuery], sa.Select[Any]] | None = None
    expression: str = ""
    unit: Unit = Unit.COUNT
    entity: type[Entity] | type[IncomeDay] | None = None
    date: Any = None
    breakdowns: Mapping[str, Any] = field(default_factory=dict)
    rule: Rule | None = None
    formula: Label | None = None
    higher_is_better: bool = True
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where a record leads to income: ``customer`` and ``date`` are fields, also through references.

    ``Watch(customer="order.customer", date="order.ordered_at")`` on order lines.
    """

    customer: str
    date: str


@dataclass(frozen=True, kw_only=True)
class IncomeSource(Contribution):
    """Where revenue and cost per customer and day come from.

    ``select(q)`` returns six columns in this order: customer id, day, currency, revenue, cost, number of purchases. The
    rows are grouped by the first three for you. ``q`` gives the day of a moment in the workspace's zone, the currency
    where a record names none, and the limit to what is to be counted anew::

        def receipts(q: trellis.IncomeQuery) -> sa.Select:
            return sa.select(
                Order.customer_id,
                q.day(Order.ordered_at),
                q.currency(Order.currency),
                sa.func.sum(Order.amount),
                q.known_sum(Order.cost),
                q.purchases(Order.amount),
            ).where(Order.deleted_at.is_(None), q.touched(Order.customer_id, Order.ordered_at))

    Cost is NULL where it is unknown. ``watches`` names each entity whose writes change the income, and how its records
    lead to the customer and the day.
    """

    select: Callable[[IncomeQuery], sa.Select[Any]]
    watches: Mapping[str, Watch] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Process(Contribution):
    """A business process: a BPMN 2.0 file of the plugin's package (or its content), about records of ``entity``.

    It is started by hand, and by the events in ``starts`` beside the message of its start event: ``order.created``,
    ``case.updated``, ``case.stage=escalated`` (a field gets a value), ``segment.retail.at_risk`` (a record enters a
    segment), ``segment_left.retail.at_risk`` (one leaves it). ``schedule`` starts it by the clock, as cron writes it
    (``0 9 * * 1-5``: on weekdays at nine), in the time zone of the workspace. ``starters`` are the roles that may start it
    by hand; without any, whoever may change the record. People of the roles in ``managers`` see all its instances and may
    reassign, retry and cancel. The process that it ``replaces`` is not started any more, by people, events or the clock.
    ``given`` are variables that code hands over when it starts an instance; nobody starts such a process by hand.
    ``tables`` are DMN files with the decision tables that its business rule tasks ask. Texts of the diagram are translated
    by the catalogue of the plugin.
    """

    diagram: Path | bytes
    tables: Sequence[Path | bytes] = ()
    entity: str | None = None
    starts: Sequence[str] = ()
    schedule: str = ""
    starters: Sequence[str] = ()
    managers: Sequence[str] = ()
    given: Sequence[str] = ()
    replaces: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a service task tells an operation; ``type`` checks it.

    ``label`` and ``help`` are how people see it who draw processes. Where it ``names`` something (``entity``, ``stage`` or
    ``process``), they choose from what there is.
    """

    name: str
    type: FieldType
    required: bool = False
    label: Label | None = None
    help: Label | None = None
    names: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation(Contribution):
    """Something that service tasks of processes can do: a task calls it by the property ``call``.

    ``run(call)`` is called inside the transaction of the step; what it returns (a value that JSON can hold, or None) goes
    into the variable that the property ``result`` names. A ``trellis.TrellisError`` that it raises goes to the error event
    of the task, where there is one; its ``code`` is the error's. What reaches outside the database belongs into a job.
    With ``sets``, the task also gives values for fields of a record, as properties ``set.<field>``.
    """

    run: Callable[[OperationCall], Any]
    parameters: Sequence[Parameter] = ()
    sets: bool = False


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A way out of a split: for those who fit its ``rule`` (the first that does), or for a ``share`` in percent.

    Behind its ``steps`` a customer goes on with the step after the split.
    """

    title: Label
    steps: Sequence[JourneyStep] = ()
    rule: Rule | None = None
    share: int = 0


@dataclass(frozen=True, kw_only=True)
class JourneyStep:
    """One step of a journey; ``kind`` says which of the other attributes it has.

    - ``message``: a mail by ``template``, or by ``other`` for customers who speak the language of that one
    - ``wait``: ``days`` and ``hours``, or ``until`` a day (``2026-12-24``); then on to the hour ``at`` (``10:00``) and to
      one of ``weekdays`` (0 is Monday)
    - ``split``: by the rules of ``branches``; who fits none takes the steps ``otherwise``
    - ``random``: by the shares of ``branches``, which make 100
    - ``task``: an activity ``subject`` with ``text`` of the kind ``act`` (``task`` or ``call``), due after ``days``, for
      ``to``: ``owner`` (of the customer), ``person:<mail>``, or ``role:<name>``, among whose people it is shared out
    - ``change``: the ``field`` of the customer gets ``value``
    - ``process``: starts ``process`` about the customer
    - ``leave``: the journey ends here
    """

    kind: str
    title: Label | str = ""
    template: str = ""
    other: str = ""
    days: int = 0
    hours: int = 0
    until: str = ""
    at: str = ""
    weekdays: Sequence[int] = ()
    branches: Sequence[Branch] = ()
    otherwise: Sequence[JourneyStep] = ()
    act: str = "task"
    subject: Label | str = ""
    text: Label | str = ""
    to: str = "owner"
    field: str = ""
    value: Any = None
    process: str = ""


@dataclass(frozen=True, kw_only=True)
class Journey(Contribution):
    """A sequence of messages, waits, splits and tasks for each customer. An organisation makes it its own to use it.

    ``entry`` is what brings customers in: ``segment.retail.at_risk`` (they enter a segment), an event of a record that
    leads to them (``order.created``, ``customer.relationship_stage=lost``), or nothing: by hand. They come in once, or
    ``again`` after so many days. ``goal`` ends it as a success: a segment or an event, written alike, or a rule; it counts
    for ``goal_days`` since they came in. ``control`` percent get nothing and are counted for the goal. No message leaves
    between ``quiet_from`` and ``quiet_to`` nor on ``quiet_days`` (0 is Monday), nor more than ``limit`` in ``limit_days``
    over all journeys and mailings. ``consent`` is ``not_refused`` or ``granted``.
    """

    entry: str = ""
    again: int | None = None
    goal: str | Rule = ""
    goal_days: int = 30
    control: int = 0
    quiet_from: str = "21:00"
    quiet_to: str = "09:00"
    quiet_days: Sequence[int] = ()
    limit: int = 2
    limit_days: int = 7
    consent: str = "not_refused"
    steps: Sequence[JourneyStep] = ()


@dataclass(frozen=True, kw_only=True)
class NotificationKind(Contribution):
    """Something that people are told of by ``trellis.notify``: each chooses whether in the app, by mail, or not at all.

    ``text`` is a sentence with the values that are told: ``%(who)s`` (who caused it), ``%(title)s`` and ``%(entity)s`` (the
    record it is about) and those that ``notify`` was given. ``in_app`` and ``mail`` hold until somebody has chosen.
    """

    text: Label
    icon: str = "bell"
    in_app: bool = True
    mail: bool = False


@dataclass(frozen=True, kw_only=True)
class Template(Contribution):
    """A template over a record of ``entity``, in one language: of a document (.docx or .html), or of a mail.

    One with a ``subject`` is of a mail: its file is the text (.txt), and holds fields of the record and of its references
    as ``{record.name}`` and ``{record.owner.name}``, and of who writes as ``{sender.name}``. A document has marks of Jinja:
    ``{{ record.name }}``, ``{% for line in related.order_line %}``, ``{{ record["retail.card_number"] }}``. ``numbering`` is
    the pattern of its numbers, ``C-{year}-{number:4}``.
    """

    entity: str
    file: Path
    language: str = "en"
    subject: str | None = None
    numbering: str = ""


class ScriptResult(StrEnum):
    """What an outcome of a conversation means to those who count them."""

    GOOD = "good"
    NEUTRAL = "neutral"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class ScriptOutcome:
    """One way in which a conversation can end."""

    key: str
    title: Label
    result: ScriptResult = ScriptResult.NEUTRAL


@dataclass(frozen=True, kw_only=True)
class ScriptAnswer:
    """What the other side may answer to a step. It leads ``to`` the step of that key, or ends with an ``outcome``.

    ``fills`` is the field of the record that it writes: with ``value``, or, without one, with what is typed. ``asks`` says
    what is to be typed: the words over that field, or over a remark that is kept with the conversation where it fills none.
    """

    key: str
    title: Label
    to: str = ""
    outcome: str = ""
    fills: str = ""
    value: Any = None
    asks: Label | None = None


@dataclass(frozen=True, kw_only=True)
class ScriptObjection:
    """What the other side may say against it, and the reply to that; the conversation stays at its step."""

    key: str
    title: Label
    reply: Label


@dataclass(frozen=True, kw_only=True)
class ScriptStep:
    """One step of a conversation: what to ``say``, with ``{record.name}``, ``{record.owner.name}`` and ``{sender.name}``.

    ``hint`` is for who speaks, and not said. At most nine ``answers``: they have the keys 1 to 9.
    """

    key: str
    say: Label
    answers: Sequence[ScriptAnswer]
    objections: Sequence[ScriptObjection] = ()
    hint: Label | None = None


@dataclass(frozen=True, kw_only=True)
class Script(Contribution):
    """A branching conversation, run beside a record of one of ``entities``; it begins with the first of its ``steps``.

    ``objections`` are at hand at every step. Of several entities each has what the texts name; a field that an answer fills
    is one of at least one of them, and is left alone beside others. ``replaces`` names a script that it is offered instead
    of.
    """

    entities: Sequence[str]
    steps: Sequence[ScriptStep]
    outcomes: Sequence[ScriptOutcome]
    objections: Sequence[ScriptObjection] = ()
    replaces: str = ""


@dataclass(frozen=True, kw_only=True)
class Instruction(Contribution):
    """An article for staff, attached to positions, a process or an entity; ``body`` is Markdown."""

    body: Label
    entity: str | None = None
    positions: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A card of a dashboard.

    ``kind``: ``kpi_strip`` (``kpis``), ``kpi_trend`` (``kpis``), ``pyramid``, ``rfm``, ``retention``, ``segments``
    (``names``), ``tasks``, ``list`` (``entity``, ``rule``, ``sort``, ``fields``), ``board`` (``entity``), ``changes``.
    ``width`` in columns of twelve.
    """

    kind: str
    title: Label | None = None
    width: int = 4
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Dashboard(Contribution):
    """A page of widgets. ``home`` makes it the home page of the edition (for ``roles``, or for all)."""

    widgets: Sequence[Widget]
    home: bool = False
    roles: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Report(Contribution):
    """A report definition over records: columns, rule, groups and totals."""

    entity: str
    fields: Sequence[str]
    rule: Rule | None = None
    group_by: Sequence[str] = ()
    totals: Sequence[str] = ()


class BonusKind(StrEnum):
    """What a part of a bonus scheme is; see :class:`BonusPart`."""

    PERCENT = "percent"
    TIERS = "tiers"
    TEAM = "team"
    FORMULA = "formula"
    MULTIPLIER = "multiplier"
    CAP = "cap"


@dataclass(frozen=True, kw_only=True)
class BonusPart:
    """One line of a bonus scheme.

    - ``percent``: ``rate`` of the ``kpi`` of the person
    - ``tiers``: of the part of the ``kpi`` in each tier its rate; ``tiers`` are pairs (from this share of the plan on, rate),
      and under the share ``threshold`` of the plan there is nothing
    - ``team``: ``rate`` of the ``kpi`` of the person's unit, ``sharing`` it ``equally`` or ``by_figure`` among its people
    - ``formula``: an amount, ``multiplier``: a factor of what the parts before come to; both expressions over KPIs of the
      person (``revenue``), their plans (``plan.revenue``) and attainment (``attainment.revenue``)
    - ``cap``: the parts before come to no more than ``amount``

    Rates and shares are decimal strings, ``"0.03"`` is 3 %. ``rule`` limits the records of the ``kpi`` that count.
    """

    title: Label
    kind: BonusKind
    kpi: str = ""
    rate: str = ""
    tiers: Sequence[tuple[str, str]] = ()
    threshold: str = ""
    sharing: str = ""
    formula: str = ""
    amount: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, kw_only=True)
class BonusScheme(Contribution):
    """Rules by which people earn a bonus each ``rhythm`` (month or quarter). An organisation makes it its own to use it."""

    parts: Sequence[BonusPart]
    rhythm: str = "month"


class Scope(StrEnum):
    """Which records a right covers."""

    NONE = "none"
    OWN = "own"
    UNIT = "unit"
    ALL = "all"


class FieldRight(StrEnum):
    """What a role may do with one field of the records it reaches."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Grant:
    """Rights on one entity (``*`` for all entities not named). ``fields`` limits single fields; the others are open."""

    entity: str
    read: Scope = Scope.ALL
    create: bool = False
    update: Scope = Scope.NONE
    delete: Scope = Scope.NONE
    fields: Mapping[str, FieldRight] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Role(Contribution):
    """A set of rights. ``administrator`` roles may change settings, people and plugins and reach every record.

    With ``personal_data`` one may take out all that is kept about a person, whatever else the role reaches, and erase it;
    administrators may.
    """

    grants: Sequence[Grant] = ()
    administrator: bool = False
    personal_data: bool = False


@dataclass(frozen=True, kw_only=True)
class MenuItem(Contribution):
    """A way into a screen, inside the group of its direction. ``path`` is relative to the workspace; ``entity`` guards it."""

    path: str
    direction: Direction
    level: Level = Level.OPERATIONS
    icon: str = "file"
    entity: str | None = None
    position: int = 100


@dataclass(frozen=True, kw_only=True)
class Panel(Contribution):
    """A card at the right of a record page.

    ``load(records, record_id)`` returns the variables for ``template`` (a template of the plugin's package); it is called
    only when the panel is shown and a failure leaves the rest of the page as it is.
    """

    entity: str
    load: Callable[[Records, int], Mapping[str, Any]]
    template: str


@dataclass(frozen=True, kw_only=True)
class Page(Contribution):
    """A page of its own at ``/<workspace>/x/<plugin>/<slug>``. ``load(records)`` returns the variables for ``template``."""

    slug: str
    load: Callable[[Records], Mapping[str, Any]]
    template: str


@dataclass(frozen=True, kw_only=True)
class RestEndpoint(Contribution):
    """A REST call at ``/api/v1/<workspace>/x/<plugin>/<slug>``. ``call(records, arguments)`` returns JSON data."""

    slug: str
    call: Callable[[Records, Mapping[str, Any]], Any]
    method: str = "GET"


@dataclass(frozen=True, kw_only=True)
class Channel(Contribution):
    """A channel of communication or sales (mail, phone, branch, shop)."""

    kind: str = "sales"


@dataclass(frozen=True, kw_only=True)
class ImportMapping(Contribution):
    """How a known file becomes records: ``trellis import W ENTITY FILE --map NAME``.

    ``columns`` maps a field of ``entity`` to a column of the file, or to an expression over the row that starts with
    ``=``; a reference holds the external id of its record. Rows for which the expression ``skip`` is true are left out.
    Rows that share their ``key`` are one record, and the last of them counts; with ``create_only`` the first does, and
    what is there already stays as it is: for files that repeat the customer on each line of a receipt. ``delimiter`` is
    a character or ``whitespace``; ``header`` names the columns of a file that has none. ``decimal`` (``.`` or ``,``) and
    ``dates`` (``day_first`` or ``month_first``) say how it writes numbers and days, where its columns do not show it.
    """

    entity: str
    columns: Mapping[str, str]
    key: str = "external_id"
    skip: str = ""
    create_only: bool = False
    delimiter: str | None = None
    header: Sequence[str] | None = None
    decimal: str | None = None
    dates: str | None = None


@dataclass(frozen=True, kw_only=True)
class Demo(Contribution):
    """Realistic records for trying an edition. ``load(context)`` writes them through the door; the same each time.

    Where ``workspace`` names one, ``trellis demo`` makes it for the ``company``, with its currency and time zone.
    """

    load: Callable[[DemoContext], None]
    workspace: str = ""
    company: str = ""
    currency: str = "EUR"
    timezone: str = "UTC"
