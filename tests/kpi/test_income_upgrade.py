"""The rollup of a workspace that was made before it kept whose the sales are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from measured import Book
from trellis import migration
from trellis.contributions import Grant, Role, Scope
from trellis.crm.analytics.refreshing import freshness, refresh
from trellis.i18n import Text
from trellis.kpi.income import INCOME_DAY
from trellis.plugins import CORE
from trellis.security.actor import Actor, merge_grants
from trellis.workspace import Workspace

BEFORE = "core_0045"


def test_the_rows_stay_and_all_is_counted_anew_at_the_next_occasion(workspace: Workspace) -> None:
    with workspace.write() as session:
        book = Book(session, workspace.edition(session))
        petra, anna = book.person("Petra"), book.customer("Anna")
        orders = [book.order(anna, day, "10", owner=petra) for day in ("2026-03-01", "2026-03-02")]
        refresh(session, book.edition)
        kept = book.rollup()
    revisions = migration.migrations_directory() / "versions"
    with workspace.namespace.connection() as connection:
        config = migration.alembic_config(revisions, connection=connection, owner=CORE)
        command.downgrade(config, BEFORE)
        columns = "day, customer_id, source, currency, revenue, cost, occasions"
        for row in kept:
            values = dict(zip(columns.split(", "), row, strict=False))
            old = sa.table("income_day", *(INCOME_DAY.c[name]._copy() for name in values))
            connection.execute(sa.insert(old), values)
        connection.execute(
            sa.text("UPDATE measured SET sources = 'as before', event_id = (SELECT max(id) FROM event)")
        )
        migration.upgrade(connection, CORE, revisions)
    role = Role(name="r", title=Text("r"), grants=[Grant("*"), Grant("order", read=Scope.OWN)])
    reader = Actor(user_id=petra, grants=merge_grants([role]))
    with workspace.write() as session:
        book = Book(session, workspace.edition(session))
        assert freshness(session, book.edition).stale
        assert (book.income(), book.seen_by(reader).income()) == (20, 0)
        book.records.update("order", orders[0], {"amount": "15"})
        assert (book.income(), book.seen_by(reader).income()) == (25, 15)
        refresh(session, book.edition)
        assert (book.income(), book.seen_by(reader).income()) == (25, 25)
        assert book.rollup() == book.rebuilt()
