"""``trellis kpi``, ``trellis segment``, ``trellis analytics``."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy.orm import Session

from trellis.cli.output import as_json, opened, print_json, print_table
from trellis.contributions import Kpi
from trellis.crm.analytics.answers import ANALYTICS, Question, analytics_named
from trellis.crm.analytics.options import OptionInvalid
from trellis.crm.analytics.refreshing import freshen, income_is_behind, refresh
from trellis.edition import Edition
from trellis.kpi import engine, snapshots
from trellis.kpi.catalogue import find as find_kpi
from trellis.kpi.periods import Grain, containing, parse, today_in
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM
from trellis.segments.engine import find, members, sizes
from trellis.workspace import Workspace


def _refresh(workspace: Workspace, as_of: date | None = None) -> None:
    """Computes tiers, scores and segments now, and the rollup where what it is made of has changed."""
    with workspace.write() as session:
        done = refresh(session, workspace.edition(session), as_of)
    workspace.record_faults(done.faults)


def _bring_up_to_date(workspace: Workspace, kept: bool) -> None:
    """What figures are read from: the rollup, and with ``kept`` what is kept on customers and segments."""
    with workspace.read() as session:
        behind = income_is_behind(session, workspace.edition(session))
    if behind:
        _refresh(workspace)
    elif kept:
        freshen(workspace)


@contextmanager
def _measured(name: str, as_of: datetime | None = None) -> Iterator[tuple[Session, Edition]]:
    """A session in a workspace whose tiers, scores and segments have been computed now (or as of a day)."""
    with opened() as installation:
        workspace = installation.workspace(name)
        _refresh(workspace, as_of.date() if as_of else None)
        with workspace.read() as session:
            yield session, workspace.edition(session)


@click.command()
@click.argument("workspace")
@click.argument("name", required=False)
@click.option(
    "--period",
    help="2026, 2026-Q3, 2026-10, 2026-W41, a day, 2026-01-15..2026-03-10 or last-30-days; the running month by default.",
)
@click.option("--by", help="unit, person, segment, channel, or a breakdown of the KPI's own.")
@click.option("--snapshot", is_flag=True, help="Keep what closed periods come to, and tell what differs.")
@click.option("--accept", is_flag=True, help="Report what NAME counts now in the closed period.")
@as_json
def kpi(
    workspace: str,
    name: str | None,
    period: str | None,
    by: str | None,
    snapshot: bool,
    accept: bool,
    json_: bool,
) -> None:
    """Values of all KPIs, or of one."""
    if snapshot or accept:
        _keep_figures(workspace, name, period, accept, json_)
        return
    with opened() as installation:
        found = installation.workspace(workspace)
        _bring_up_to_date(found, kept=True)
        with found.read() as session:
            edition = found.edition(session)
            today = today_in(ZoneInfo(edition.settings.timezone))
            asked = (
                parse(period, edition.settings.fiscal_month, today)
                if period
                else containing(today, Grain.MONTH)
            )
            names = [name] if name else list(edition.all(Kpi))
            answers = [
                engine.value(session, edition, SYSTEM, one, asked, by, today).to_json() for one in names
            ]
    if json_:
        print_json(answers[0] if name else answers)
        return
    heads = ("KPI", "Title", "Value", "Unit", "Target", "Before")
    keys = ("kpi", "title", "value", "unit", "target", "previous")
    rows = [tuple(_in_short(one[key]) for key in keys) for one in answers]
    print_table(heads, rows, right=(2, 4, 5))
    for row in answers[0]["breakdown"] if name else ():
        click.echo(f"{row['title']}: {_in_short(row['value'])}")


def _in_short(value: Any) -> Any:
    """A ratio or duration with as many digits as people read; JSON has them all."""
    return round(value, 4) if isinstance(value, float) else value


def _keep_figures(workspace: str, name: str | None, period: str | None, accept: bool, json_: bool) -> None:
    """Takes snapshots, or accepts what a KPI counts now in a closed period."""
    if accept and not (name and period):
        raise click.UsageError("--accept needs the name of a KPI and --period")
    with opened() as installation:
        found = installation.workspace(workspace)
        if accept:
            with found.write() as session:
                edition = found.edition(session)
                asked = parse(period or "", edition.settings.fiscal_month)
                told = {"accepted": snapshots.accept(session, SYSTEM, find_kpi(edition, name or ""), asked)}
        else:
            with found.read() as session:
                edition = found.edition(session)
                names = [find_kpi(edition, name).name] if name else list(edition.all(Kpi))
            told = {"reported": 0, "recounted": 0}
            for one in names:  # each in a transaction of its own, so that others can write between them
                with found.write() as session:
                    edition = found.edition(session)
                    taken = snapshots.take(session, edition, kpis=[find_kpi(edition, one)])
                told = {key: number + getattr(taken, key) for key, number in told.items()}
    if json_:
        print_json(told)
    else:
        click.echo(", ".join(f"{number} {word}" for word, number in told.items()))


@click.command()
@click.argument("workspace")
@click.argument("name", required=False)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Count as of this day; today by default.")
@as_json
def segment(workspace: str, name: str | None, as_of: datetime | None, json_: bool) -> None:
    """Sizes of the segments, or the members of one."""
    with _measured(workspace, as_of) as (session, edition):
        if name is None:
            rows = [one.to_json() for one in sizes(session, edition, SYSTEM)]
            if json_:
                print_json(rows)
            else:
                print_table(
                    ("Segment", "Title", "Members", "Share"), [_size(row) for row in rows], right=(2, 3)
                )
            return
        view = edition.entity(find(edition, name).entity)
        fields = [view.info.title_field, "external_id"]
        found = ListQuery(
            view, edition, SYSTEM, ids=members(edition, SYSTEM, name), fields=fields, limit=1_000_000
        )
        lines = [{"id": one.id, **one.values} for one in found.page(session).items]
    if json_:
        print_json(lines)
    else:
        print_table(
            ("Id", "External id", "Name"), [(one["id"], one["external_id"], one[fields[0]]) for one in lines]
        )


def _size(row: dict[str, object]) -> tuple[object, ...]:
    share = row["share"]
    return (row["segment"], row["title"], row["members"], f"{share:.1%}" if isinstance(share, float) else "")


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of all analytics; one that an analytics does not take is refused when it is given."""
    declared = {one.name: one for analytics in ANALYTICS.values() for one in analytics.options}
    for one in reversed(declared.values()):
        flag = f"--{one.name.replace('_', '-')}"
        kind: dict[str, Any] = {"is_flag": True} if one.is_flag else {"metavar": one.schema["type"].upper()}
        command = click.option(flag, one.name, help=str(one.help), **kind)(command)
    return command


@click.command()
@click.argument("workspace")
@click.argument("name", type=click.Choice(list(ANALYTICS)))
@_with_options
@as_json
def analytics(workspace: str, name: str, json_: bool, **given: str | bool | None) -> None:
    """The analytics of customer value."""
    asked = analytics_named(name)
    try:
        options = asked.read({key: str(value) for key, value in given.items() if value})
    except OptionInvalid as error:
        raise click.UsageError(f"{name}, --{error.name.replace('_', '-')}: {error}") from None
    with opened() as installation:
        found = installation.workspace(workspace)
        _bring_up_to_date(found, asked.kept)
        with found.read() as session:
            answer = asked.answer(
                Question(session=session, edition=found.edition(session), actor=SYSTEM, options=options)
            )
    if json_:
        print_json(answer)
        return
    for key, value in answer.items():
        _print_part(key, value)


def _print_part(key: str, value: Any) -> None:
    """One key of an answer: a table where it holds rows, wrapped pairs where it holds many figures."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        click.echo(f"{key}:")
        print_table(list(value[0]), [list(row.values()) for row in value])
    elif isinstance(value, dict) and value and all(isinstance(inner, dict) for inner in value.values()):
        heads = list(next(iter(value.values())))
        print_table([key, *heads], [[name, *inner.values()] for name, inner in value.items()])
    elif isinstance(value, dict):
        plain = {name: one for name, one in value.items() if not isinstance(one, list | dict)}
        pairs = "  ".join(f"{name}\N{NO-BREAK SPACE}{_shown(one)}" for name, one in plain.items())
        lines = textwrap.wrap(pairs, 100, initial_indent="  ", subsequent_indent="  ")
        click.echo("\n".join([f"{key}:", *lines]).replace("\N{NO-BREAK SPACE}", " "))
        for name, one in value.items():
            if name not in plain:
                _print_part(f"{key}.{name}", one)
    else:
        click.echo(f"{key}: {_shown(value)}".rstrip())


def _shown(value: Any) -> Any:
    return "" if value is None else value
