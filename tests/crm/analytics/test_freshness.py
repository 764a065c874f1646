"""Tier, scores and segments are computed anew when something changed, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.crm.analytics import refreshing
from trellis.crm.analytics.refreshing import Freshness, freshen
from trellis.crm.customers.entities import Customer
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, queue
from trellis.kpi.income import INCOME_DAY
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def tier(workspace: Workspace, customer: int) -> str | None:
    with workspace.read() as session:
        return session.scalar(sa.select(Customer.tier).where(Customer.id == customer))


def test_figures_are_computed_when_somebody_looks_and_once(workspace: Workspace) -> None:
    with workspace.write() as session:
        anna = Records(session, workspace.edition(session), SYSTEM).create("customer", {"name": "Anna"}).id
    assert freshen(workspace) is True
    assert tier(workspace, anna) == "prospect"
    assert freshen(workspace) is False


def test_a_busy_database_leaves_the_figures_as_old_as_they_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_given: object) -> None:
        raise sa.exc.OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(refreshing, "refresh", locked)
        assert freshen(workspace) is False
    assert freshen(workspace) is True


def test_a_write_makes_figures_stale(book: Book) -> None:
    assert refreshing.freshness(book.session, book.edition).stale
    refreshing.refresh(book.session, book.edition)
    assert not refreshing.freshness(book.session, book.edition).stale
    book.customer()
    assert refreshing.freshness(book.session, book.edition).stale


def test_figures_that_take_long_are_waited_for_longer() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    quick, slow = (Freshness(now - timedelta(seconds=30), True, seconds) for seconds in (0.1, 60))
    assert quick.is_due(now) and not slow.is_due(now)
    assert not Freshness(now - timedelta(days=9), False, 0.1).is_due(now)
    assert Freshness(None, True).is_due(now)


def test_a_refresh_after_sources_changed_makes_the_rollup_anew(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-03-01")
    book.session.execute(sa.delete(INCOME_DAY))
    refreshing.refresh(book.session, book.edition)  # the first time
    assert len(book.rollup()) == 1
    book.session.execute(sa.delete(INCOME_DAY))
    refreshing.refresh(book.session, book.edition)  # nothing is known to have changed
    assert book.rollup() == []


def test_all_is_counted_once_a_day_whether_somebody_looks_or_not(
    installation: Installation, workspace: Workspace
) -> None:
    with workspace.write() as session:
        anna = Records(session, workspace.edition(session), SYSTEM).create("customer", {"name": "Anna"}).id
    freshen(workspace)
    now = datetime.now(UTC)
    assert JOB_KINDS[refreshing.KIND].daily
    with workspace.write() as session:
        queue.keep_daily(session, refreshing.KIND, now)
        session.execute(sa.update(Customer.__table__).values(tier=None))
        session.execute(sa.update(refreshing.Measured).values(day=now.date() - timedelta(days=9)))
    Runner(installation, JOB_KINDS).drain()
    assert tier(workspace, anna) == "prospect"
