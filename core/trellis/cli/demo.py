"""``trellis demo``: a workspace with realistic data for each industry."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import enabling
from trellis.cli.output import opened, progress
from trellis.config import Config
from trellis.contributions import Demo
from trellis.crm.analytics import product_figures
from trellis.crm.analytics.figures import count_purchases
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.customers import standing
from trellis.crm.customers.entities import Customer
from trellis.crm.products import life
from trellis.crm.products.entities import Product
from trellis.demo import SIZES, DemoContext
from trellis.edition import Edition, Settings
from trellis.errors import PluginError
from trellis.installation import Installation
from trellis.kpi.periods import months_later, today_in
from trellis.records.door import Records
from trellis.records.events import ENTERED, LEFT
from trellis.records.membership import SegmentMember
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.segments.tables import SegmentEvent
from trellis.system import Event
from trellis.workspace import Workspace

PASSWORD = "trellis-demo"
MONTHS = 12
PEOPLE = (
    ("admin@demo.test", "Anna Meyer", "administrator"),
    ("manager@demo.test", "Tomáš Král", "manager"),
    ("agent@demo.test", "Rosa Silva", "agent"),
)


@click.command()
@click.option("--port", default=8000, show_default=True, help="The port to serve at.")
@click.option("--no-serve", is_flag=True, help="Make the workspaces, and end.")
@click.option(
    "--size", type=click.Choice(list(SIZES)), default="small", show_default=True, help="How much data."
)
@click.option("--reset", is_flag=True, help="Delete the demo workspaces first.")
def demo(port: int, no_serve: bool, size: str, reset: bool) -> None:
    """Creates a workspace with demo data for each installed industry, and serves them."""
    with opened() as installation:
        known = {entry.name for entry in installation.workspaces()}
        demos = list(_demos(installation))
        for plugin, one in demos:
            if one.workspace in known and (reset or not _is_loaded(installation, one.workspace)):
                installation.delete_workspace(one.workspace)
                known.discard(one.workspace)
            if one.workspace not in known:
                with progress(f"{one.company} ({plugin})"):
                    _make(installation, plugin, one, SIZES[size])
    _tell(port, [one for _plugin, one in demos])
    if not no_serve:
        from trellis.serve import serve

        serve(Config.from_environment(), port=port)


def _demos(installation: Installation) -> Iterator[tuple[str, Demo]]:
    """The demos of installed plugins that have a workspace of their own, each with its plugin."""
    for name in installation.plugins.names():
        try:
            installation.plugins.load(name)
        except PluginError as error:
            click.echo(str(error), err=True)
            continue
        for owner, declared in installation.plugins.hooks([name]).collect("trellis_demo", []):
            yield from ((owner, one) for one in declared if owner == name and one.workspace)


def _is_loaded(installation: Installation, name: str) -> bool:
    """False where an earlier run was killed: the data of a demo come in one transaction, and the log forgets nothing."""
    workspace = installation.workspace(name)
    if workspace.behind():
        return True
    with workspace.read() as session:
        return bool(session.scalar(sa.select(sa.exists().where(Event.entity == "customer"))))


def _make(installation: Installation, plugin: str, demo: Demo, customers: int) -> None:
    """Makes one workspace. A run that was interrupted leaves nothing that the next would take for whole."""
    settings = Settings(title=demo.company, currency=demo.currency, timezone=demo.timezone)
    workspace = installation.create_workspace(demo.workspace, settings)
    try:
        enabling.enable(workspace, plugin)
        users = {
            role: add_user(installation, workspace, email, name, [role], PASSWORD)
            for email, name, role in PEOPLE
        }
        load_demo(workspace, plugin, customers, users)
    except BaseException:
        installation.delete_workspace(demo.workspace)
        raise


def load_demo(workspace: Workspace, plugin: str, customers: int, users: dict[str, int]) -> None:
    """Loads the demo data of a plugin, and computes the figures on them."""
    with workspace.write() as session:
        edition = workspace.edition(session)
        context = DemoContext(
            records=Records(session, edition, SYSTEM),
            random=random.Random(plugin),
            today=today_in(ZoneInfo(edition.settings.timezone)),
            customers=customers,
            users=users,
            language=edition.settings.language,
        )
        for one in edition.all(Demo).values():
            if one.owner == plugin:
                one.load(context)
    _measure(workspace, context.today)


def _measure(workspace: Workspace, today: date) -> None:
    """Computes the figures as of a week ago, as if before the last seven days, and now: so that there is news of this week.

    Customers go through the stages of the months before as well, so that their lifecycle has a history. Those of whom the
    demo does not say when they came were there before.
    """
    with workspace.write() as session:
        edition = workspace.edition(session)
        zone = ZoneInfo(edition.settings.timezone)
        before = datetime.combine(today - timedelta(days=8), time(), zone)
        # Who came into segments and went while a year of data was written in a minute.
        session.execute(sa.delete(SegmentMember))
        session.execute(sa.delete(SegmentEvent))
        session.execute(sa.delete(Event).where(Event.action.in_((ENTERED, LEFT))))
        long_ago = datetime.combine(months_later(today, -MONTHS - 1), time(), zone)
        just_now = Customer.created_at >= datetime.combine(today, time(), zone)
        session.execute(sa.update(Customer).where(just_now).values(created_at=long_ago))
        for month in reversed(range(1, MONTHS + 1)):
            _pass_night(session, edition, months_later(today, -month))
        refresh(session, edition, today - timedelta(days=7), before)
        done = refresh(session, edition)
        _confirm_stages(session, edition, today)
    workspace.record_faults(done.faults)


def _pass_night(session: Session, edition: Edition, day: date) -> None:
    """Moves customers through their stages as a night of the past would have done."""
    count_purchases(session, edition, day)
    now = datetime.combine(day, time(), ZoneInfo(edition.settings.timezone))
    standing.refresh(session, edition, day, now)


def _confirm_stages(session: Session, edition: Edition, today: date) -> None:
    """Products stand where their sales said half a year ago, so that there is something to confirm."""
    product_figures.refresh(session, edition, today - timedelta(days=182))
    life.confirm(Records(session, edition, SYSTEM), session.scalars(sa.select(Product.id)).all())
    product_figures.refresh(session, edition, today)


def _tell(port: int, demos: Sequence[Demo]) -> None:
    for demo in demos:
        click.echo(f"{demo.company:<18} http://127.0.0.1:{port}/{demo.workspace}/")
    people = ", ".join(email for email, _name, _role in PEOPLE)
    click.echo(f"Sign in as {people}; the password is {PASSWORD}")
