"""What the core brings to the analytics: income, customer figures and segments that follow each write."""

from __future__ import annotations

from trellis.contributions import Panel
from trellis.crm.analytics import panels, reasons, refreshing  # noqa: F401  its table goes into backups
from trellis.crm.analytics.figures import follow_customers
from trellis.crm.customers import in_segments, standing
from trellis.crm.customers.panels import OF_CUSTOMERS
from trellis.hookspecs import hookimpl
from trellis.kpi.following import follow
from trellis.records.events import Saved
from trellis.segments import following as segments


@hookimpl
def trellis_panels() -> list[Panel]:
    return [
        *reasons.PANELS,
        *panels.PANELS,
        *in_segments.PANELS,
        *OF_CUSTOMERS,
    ]  # what they are worth stands above what they were asked


@hookimpl
def trellis_after_save(event: Saved) -> None:
    customers = follow(event)
    if customers:
        follow_customers(event.session, event.edition, customers)
    segments.follow(event, customers)
    standing.follow(event, customers)
