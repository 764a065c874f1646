"""What the core brings to sales: leads, opportunities with their funnel, orders with lines."""

from __future__ import annotations

from trellis.contributions import Cell, Direction, IncomeSource, Kpi, Level, Lifecycle, MenuItem, Stage
from trellis.crm.sales import history, orders, stages
from trellis.crm.sales.entities import Lead, LostReason, Opportunity, Order, OrderLine
from trellis.crm.sales.income import ORDERS
from trellis.crm.sales.kpis import KPIS
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved

_ = translator("trellis")

FUNNEL = Cell(Direction.SALES, Level.TACTICS, "SA3")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Lead, Opportunity, LostReason, Order, OrderLine]


@hookimpl
def trellis_lifecycles() -> list[Lifecycle]:
    return [
        Lifecycle(
            name="lead",
            title=_("Leads"),
            cell=FUNNEL,
            entity="lead",
            stages=(
                Stage(value="new", title=_("New"), days=2),
                Stage(value="contacted", title=_("Contacted"), days=5),
                Stage(value="qualified", title=_("Qualified"), kind="won", tone="good"),
                Stage(value="rejected", title=_("Rejected"), kind="lost", tone="danger"),
            ),
        ),
        Lifecycle(
            name="sales",
            title=_("Sales"),
            cell=FUNNEL,
            entity="opportunity",
            when=("funnel", "sales"),
            kpi="sales_won",
            stages=(
                Stage(value="qualify", title=_("Qualify"), probability=0.1, days=7),
                Stage(value="discover", title=_("Discover"), probability=0.25, days=14),
                Stage(value="propose", title=_("Propose"), probability=0.5, days=14, requires=("amount",)),
                Stage(
                    value="negotiate", title=_("Negotiate"), probability=0.75, days=14, requires=("amount",)
                ),
                Stage(value="won", title=_("Won"), kind="won", probability=1, tone="good"),
                Stage(
                    value="lost",
                    title=_("Lost"),
                    kind="lost",
                    probability=0,
                    tone="danger",
                    requires=("lost_reason",),
                ),
            ),
        ),
    ]


@hookimpl
@concerns("opportunity", "order_line")
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == "opportunity":
        stages.follow(event)
    elif event.entity == "order_line":
        orders.fill_line(event)


@hookimpl
@concerns("opportunity", "order_line")
def trellis_after_save(event: Saved) -> None:
    if event.entity == "opportunity":
        history.note(event)
    else:
        orders.total(event)


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS


@hookimpl
def trellis_menu() -> list[MenuItem]:
    return [
        MenuItem(
            name="funnel_analysis",
            title=_("Funnel analysis"),
            cell=FUNNEL,
            path="opportunity/analysis",
            direction=Direction.SALES,
            level=Level.TACTICS,
            icon="funnel",
            entity="opportunity",
        ),
        MenuItem(
            name="sales_effectiveness",
            title=_("Effectiveness of sales"),
            cell=Cell(Direction.SALES, Level.TACTICS, "SA5"),
            path="opportunity/effectiveness",
            direction=Direction.SALES,
            level=Level.TACTICS,
            icon="chart-no-axes-combined",
            entity="opportunity",
        ),
    ]


@hookimpl
def trellis_income() -> list[IncomeSource]:
    return [ORDERS]
