"""Home: the dashboard of the edition; and the reader's tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Dashboard, Kpi, Widget
from trellis.crm.analytics.refreshing import freshness
from trellis.edition import OWN
from trellis.i18n import Text, current_timezone, format_date, format_number, format_weekday, translator
from trellis.kpi.income import withholds_income
from trellis.settings import dashboards
from trellis.web.creating import creations
from trellis.web.overlay import overlay
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go
from trellis.web.views.task_acts import offered
from trellis.web.widgets import period_of, task_rows, widget_context

_ = translator("trellis")

blueprint = Blueprint("home", __name__)

KINDS: Mapping[str, Text] = {
    "kpi_strip": _("Key figures"),
    "kpi_trend": _("A figure over time"),
    "pyramid": _("Customer pyramid"),
    "rfm": _("Recency, frequency, value"),
    "retention": _("Retention by first-purchase month"),
    "segments": _("Segments"),
    "tasks": _("My tasks"),
    "list": _("List"),
    "board": _("Board"),
    "changes": _("What changed this week"),
}
"""What cards without a title are called."""
PERIODS = {"week": _("Week"), "month": _("Month"), "quarter": _("Quarter"), "year": _("Year")}

STANDARD = Dashboard(
    name="home",
    title=_("Home"),
    widgets=(
        Widget(
            kind="kpi_strip",
            width=12,
            options={"kpis": ("revenue", "orders", "average_order", "active_customers", "win_rate")},
        ),
        Widget(kind="pyramid", width=4),
        Widget(kind="rfm", width=4),
        Widget(kind="tasks", width=4),
        Widget(kind="kpi_trend", width=8, options={"kpis": ("revenue",)}),
        Widget(kind="changes", width=4),
    ),
)
"""The home page where no vertical brings one."""
OWN_FIGURES = 6


@blueprint.get("/<workspace>/")
def show(workspace: str) -> str:
    return _page(_home(), home=True)


@blueprint.get("/<workspace>/dashboards/<name>")
def dashboard(workspace: str, name: str) -> str:
    return _page(_dashboard(name))


@blueprint.get("/<workspace>/dashboards/<name>/arrange")
def cards(workspace: str, name: str) -> str:
    """Which cards the reader sees, and in which order."""
    found = _dashboard(name)
    shown, hidden = dashboards.arranged(g.session, g.actor, found)
    known = dashboards.named(found)
    items = [
        {"name": one, "shown": one in shown, **_called(known[one])}
        for one in (*shown, *hidden)
        if _may_see(known[one])
    ]
    arrange = {
        "action": f"{base()}/dashboards/{name}/arrange",
        "changed": dashboards.is_arranged(g.session, g.actor, found),
        "items": items,
    }
    return overlay("arrange.html", found.title, arrange=arrange)


@blueprint.post("/<workspace>/dashboards/<name>/arrange")
def arrange(workspace: str, name: str) -> BaseResponse:
    found = _dashboard(name)
    if "reset" in request.form:
        dashboards.reset(g.session, g.actor, found)
        toast(_("The cards stand as the edition has them"))
    else:
        known = dashboards.named(found)
        shown = [one for one in request.form.get("widgets", "").split(",") if one]
        unseen = [
            one for one in known if not _may_see(known[one])
        ]  # what one cannot see is not hidden by that
        dashboards.arrange(g.session, g.actor, found, [*shown, *(one for one in unseen if one not in shown)])
        toast(_("Saved"))
    return go(f"{base()}/" if found.name == _home().name else f"{base()}/dashboards/{name}")


_SHOWN: Mapping[str, tuple[Text, Callable[[Mapping[str, Any]], bool]]] = {
    "": (_("All"), lambda row: True),
    "late": (_("Overdue"), lambda row: bool(row["late"])),
    "mine": (_("Of processes"), lambda row: bool(row.get("process")) and not row.get("take_url")),
    "queue": (_("In a queue"), lambda row: bool(row.get("take_url"))),
    "activities": (_("Activities"), lambda row: not row.get("process")),
}
"""What the page of tasks can be limited to."""


@blueprint.get("/<workspace>/tasks")
def tasks(workspace: str) -> str:
    chosen = request.args.get("show", "")
    everything = task_rows(200, base())
    rows = [row for row in everything if chosen not in _SHOWN or _SHOWN[chosen][1](row)]
    context = {
        "rows": rows,
        "total": format_number(len(everything)),
        "filters": [
            {"title": str(title), "url": f"{base()}/tasks?show={key}", "current": key == chosen}
            for key, (title, _fits) in _SHOWN.items()
        ],
        "filtered": bool(chosen) and bool(everything),
        "calendar_url": f"{base()}/activity/calendar?view=mine" if g.actor.may("activity", "read") else "",
        "url": f"{base()}/tasks?show={chosen}" if chosen in _SHOWN else f"{base()}/tasks",
        "acts": offered(rows),
        "new_url": f"{base()}/activity/new",
        "may_create": g.actor.may("activity", "create"),
    }
    return page("tasks.html", title=_("My tasks"), icon="circle-check", tasks=context)


def _dashboard(name: str) -> Dashboard:
    """A dashboard by its name; 404 where there is none."""
    found: Dashboard | None = STANDARD if name == STANDARD.name else g.edition.all(Dashboard).get(name)
    if found is None:
        abort(404)
    return _with_own(found)


def _with_own(found: Dashboard) -> Dashboard:
    """A home page with a card of the organisation's own KPIs, where there are some."""
    own = [name for name, kpi in g.edition.all(Kpi).items() if kpi.owner == OWN]
    if not own or not (found.home or found.name == STANDARD.name):
        return found
    title = _("KPIs of the organisation")
    card = Widget(kind="kpi_strip", title=title, width=12, options={"kpis": tuple(own[:OWN_FIGURES])})
    return dataclasses.replace(found, widgets=(*found.widgets, card))


def _called(widget: Widget) -> dict[str, str]:
    """What a card is called: by itself, by the records it shows, or by its kind."""
    if widget.title:
        return {"title": str(widget.title), "sub": ""}
    kpis = [g.edition.all(Kpi).get(name) for name in widget.options.get("kpis", ())]
    titles = ", ".join(str(kpi.title) for kpi in kpis if kpi is not None)
    view = g.edition.entities.get(widget.options.get("entity", ""))
    return {
        "title": str(KINDS.get(widget.kind, widget.kind)),
        "sub": titles or (str(view.info.plural) if view else ""),
    }


def _home() -> Dashboard:
    """The home page for the reader's roles, or for all; of the vertical that was enabled first."""
    homes = [one for one in g.edition.all(Dashboard).values() if one.home]
    fitting = [one for one in homes if set(one.roles) & set(g.actor.roles)]
    choices: list[Dashboard] = [*fitting, *(one for one in homes if not one.roles), STANDARD]
    return _with_own(choices[0])


def _page(found: Dashboard, *, home: bool = False) -> str:
    chosen = request.args.get("period", "month")
    period = period_of(chosen)
    known = dashboards.named(found)
    names, _hidden = dashboards.arranged(g.session, g.actor, found)
    shown = [known[name] for name in names if _may_see(known[name])]
    now = datetime.now(current_timezone())
    context = {
        "title": str(_greeting(now)) if home else str(found.title),
        "sub": str(
            _(
                "%(today)s · %(period)s, day %(day)s of %(days)s",
                today=format_weekday(now.date()),
                period=period.label,
                day=(now.date() - period.first).days + 1,
                days=(period.end - period.first).days,
            )
        ),
        "periods": [
            {"title": str(title), "url": f"{request.path}?period={key}", "current": key == chosen}
            for key, title in PERIODS.items()
        ],
        "units": None,
        "edit_url": f"{base()}/dashboards/{found.name}/arrange",
        "hidden": len(known) > len(names),
        "create": creations(base()),
        "widgets": [
            widget_context(found, index, widget, period, base()) for index, widget in enumerate(shown)
        ],
        "others": [
            {"title": str(one.title), "url": f"{base()}/dashboards/{one.name}"}
            for one in g.edition.all(Dashboard).values()
            if one.name != found.name
        ],
    }
    title = _("Home") if home else found.title
    return page("home.html", title=title, icon="house", home=context)


def _may_see(widget: Widget) -> bool:
    """Cards about customers are for those who may see customers, and what they brought; the others guard themselves."""
    if widget.kind in ("pyramid", "rfm", "retention") and withholds_income(g.edition):
        return False
    entity = {
        "tasks": "activity",
        "list": widget.options.get("entity"),
        "board": widget.options.get("entity"),
    }
    return bool(g.actor.may(entity.get(widget.kind) or "customer", "read"))


def _greeting(now: datetime) -> Any:
    name = g.actor.name.split()[0] if g.actor.name else ""
    if now.hour < 12:
        return _("Good morning, %(name)s", name=name)
    return (
        _("Good afternoon, %(name)s", name=name) if now.hour < 18 else _("Good evening, %(name)s", name=name)
    )


def counted_at() -> str:
    """When tiers and segments were computed last, in words."""
    found = freshness(g.session, g.edition)
    if found.at is None:
        return str(_("Not computed yet"))
    minutes = int((datetime.now(UTC) - found.at).total_seconds() // 60)
    if minutes < 1:
        return str(_("Computed just now"))
    if minutes < 60:
        return str(_("Computed %(number)s min ago", number=format_number(minutes)))
    return str(_("Computed on %(date)s", date=format_date(found.at)))
