"""What the core brings to sales: leads, opportunities with their funnel, orders with lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from trellis.contributions import (
    Cell,
    Direction,
    IncomeSource,
    Kpi,
    Level,
    Lifecycle,
    MenuItem,
    NotificationKind,
    Stage,
    Template,
)
from trellis.crm.sales import approving, channels, history, orders, quotes, stages
from trellis.crm.sales.channels import SalesChannel
from trellis.crm.sales.entities import (
    DiscountLimit,
    Lead,
    Opportunity,
    OpportunityLine,
    Order,
    OrderLine,
    Quote,
    QuoteLine,
)
from trellis.crm.sales.income import ORDERS
from trellis.crm.sales.kpis import KPIS
from trellis.crm.sales.lost_reasons import LostReason
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved

_ = translator("trellis")

FUNNEL = Cell(Direction.SALES, Level.TACTICS, "SA3")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    sold = [Opportunity, OpportunityLine, Quote, QuoteLine, Order, OrderLine]
    return [Lead, *sold, LostReason, DiscountLimit, SalesChannel]


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
        Lifecycle(
            name="quote",
            title=_("Quotes"),
            cell=FUNNEL,
            entity="quote",
            stages=(
                Stage(value="draft", title=_("Draft"), moves=("approval", "sent")),
                Stage(value="approval", title=_("Approval"), tone="warn", moves=("draft", "sent")),
                Stage(
                    value="sent",
                    title=_("Sent"),
                    tone="info",
                    requires=("valid_until",),
                    moves=("draft", "accepted", "declined"),
                ),
                Stage(value="accepted", title=_("Accepted"), kind="won", tone="good", moves=("accepted",)),
                Stage(value="declined", title=_("Declined"), kind="lost", tone="danger", moves=("draft",)),
            ),
        ),
    ]


_BEFORE: Mapping[str, Callable[[BeforeSave], None]] = {
    "opportunity": stages.follow,
    "opportunity_line": quotes.fill_opportunity_line,
    "order_line": orders.fill_line,
    "quote": quotes.follow,
    "quote_line": quotes.fill_line,
    "discount_limit": quotes.check_limit,
    "sales_channel": channels.check,
}


def _opportunity_saved(event: Saved) -> None:
    history.note(event)
    stages.come_back(event)


_AFTER: Mapping[str, Callable[[Saved], None]] = {
    "opportunity": _opportunity_saved,
    "opportunity_line": quotes.OPPORTUNITY_TOTALS.follow,
    "order_line": orders.TOTALS.follow,
    "quote": approving.follow,
    "quote_line": quotes.TOTALS.follow,
}


@hookimpl
@concerns(*_BEFORE)
def trellis_before_save(event: BeforeSave) -> None:
    _BEFORE[event.entity](event)


@hookimpl
@concerns(*_AFTER)
def trellis_after_save(event: Saved) -> None:
    _AFTER[event.entity](event)


@hookimpl
def trellis_notifications() -> list[NotificationKind]:
    return approving.KINDS


@hookimpl
def trellis_templates() -> list[Template]:
    folder = Path(__file__).parent / "documents"
    return [
        Template(
            name=f"quote_{language}",
            title=_("Quote"),
            cell=FUNNEL,
            entity="quote",
            file=folder / f"quote.{language}.html",
            language=language,
        )
        for language in ("en", "ru")
    ]


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS


@hookimpl
def trellis_menu() -> list[MenuItem]:
    return [
        MenuItem(
            name="sales_plan",
            title=_("Sales plan"),
            cell=Cell(Direction.SALES, Level.TACTICS, "SA2"),
            path="opportunity/plan",
            direction=Direction.SALES,
            level=Level.TACTICS,
            icon="target",
            entity="kpi_target",
        ),
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
