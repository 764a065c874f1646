"""What must hold after a kill, before the server is up again; and when all work has come to its end."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis import files
from trellis.edition import Edition
from trellis.health import examine
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job
from trellis.kpi.income import INCOME_DAY, rebuild
from trellis.records.events import ENTERED, LEFT
from trellis.records.indexes import create_extension_indexes
from trellis.search.matching import WORDS, fts_name, searchable, table_of, text_of
from trellis.system import Event, ImportRun, LedgerEntry, PluginState
from trellis.workspace import Workspace

from bench.callers import PLUGINS, Ledger, Sent

PATIENCE = 30.0

DAILY = [name for name, kind in JOB_KINDS.items() if kind.daily]
"""Jobs of which one always waits for the night."""

FIELD_GONE = re.compile(rf"fields: .+ “({'|'.join(PLUGINS)})\.\w+”")
"""What an export says whose plugin was switched off before its turn came: it names the field and writes no file."""


def problems(
    installation: Installation, workspace: Workspace, ledger: Ledger, *, ended: bool
) -> Iterator[str]:
    """What is wrong. ``ended`` when all jobs are done, so that imports must be whole too."""
    yield from ledger.wrong
    ledger.wrong.clear()
    sqlite = workspace.namespace.dialect == "sqlite"
    if not sqlite:
        _wait_for_the_dead(workspace)
    with workspace.read() as session:
        edition = workspace.edition(session)
        if sqlite and (told := session.scalars(sa.text("PRAGMA integrity_check")).all()) != ["ok"]:
            yield f"integrity_check: {told[:3]}"
        yield from _records(session, edition, ledger, ended)
        yield from _events(session, edition)
        yield from _plugins(session, edition)
        yield from _search(session, edition)
    yield from _indexes(workspace)
    yield from _income(workspace)
    for check in examine(installation, [workspace.name]):
        yield from (f"doctor: {one}" for one in check.problems if ended or check.name != "queue")
    if ended:
        yield from _jobs(workspace)


def _wait_for_the_dead(workspace: Workspace) -> None:
    """PostgreSQL notices that its client is gone when it next reads or writes."""
    others = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND state <> 'idle' AND backend_type = 'client backend' AND application_name <> 'kept'"
    )
    for _try in range(int(PATIENCE * 10)):
        with workspace.read() as session:
            if not session.scalar(others):
                return
            session.execute(sa.text("SELECT pg_sleep(0.1)"))


def _records(session: Session, edition: Edition, ledger: Ledger, ended: bool) -> Iterator[str]:
    """Acknowledged records are there once; of a call that got no answer all, or none."""
    there = {
        "customer": Counter(session.scalars(_column(edition, "customer", "name"))),
        "order": Counter(session.scalars(_column(edition, "order", "number"))),
    }
    for sent in ledger.sent:
        yield from _of_call(sent, there[sent.entity], ended)
    known = {name for sent in ledger.sent for name in sent.names}
    strangers = [name for counted in there.values() for name in counted if name not in known]
    if strangers:
        yield f"records that nobody sent: {strangers[:3]}"
    yield from _changes(session, edition, ledger)


def _column(edition: Edition, entity: str, name: str) -> sa.Select[Any]:
    return sa.select(edition.entity(entity).entity.__table__.c[name])


def _of_call(sent: Sent, there: Counter[str], ended: bool) -> Iterator[str]:
    found = [there[name] for name in sent.names]
    told = f"{sent.path} {sent.key}"
    if max(found) > 1:
        yield f"{told}: doubled, {sum(found)} for {len(found)}"
    elif sent.path != "/imports":
        if sent.answered and sum(found) < len(found):
            yield f"{told}: acknowledged, {sum(found)} of {len(found)} are there"
        elif 0 < sum(found) < len(found):
            yield f"{told}: {sum(found)} of {len(found)} are there"
    elif ended and sent.answered and sum(found) < len(found):
        yield f"{told}: imported {sum(found)} of {len(found)}"


def _changes(session: Session, edition: Edition, ledger: Ledger) -> Iterator[str]:
    customer = edition.entity("customer").entity.__table__.c
    rows = session.execute(sa.select(customer.id, customer.city, customer.deleted_at))
    for record_id, city, deleted_at in rows:
        known = ledger.changed.get(record_id)
        if known is None:
            continue
        if (city or None) not in (known.acknowledged, *known.open):
            yield f"customer {record_id} has the city {city}, not {known.acknowledged} or {known.open}"
        if known.binned is not None and known.binned != (deleted_at is not None):
            yield f"customer {record_id}: binned is {known.binned}, and it was not acknowledged so"


def _events(session: Session, edition: Edition) -> Iterator[str]:
    """Each record has as many events as it has versions, the first of which made it."""
    event = Event.__table__.c
    for name in ("customer", "order"):
        table = edition.entity(name).entity.__table__.c
        events = (
            sa.select(
                event.record_id,
                sa.func.count().label("number"),
                sa.func.sum(sa.case((event.action == "created", 1), else_=0)).label("made"),
            )
            .where(event.entity == name, event.action.not_in((ENTERED, LEFT)))
            .group_by(event.record_id)
            .subquery()
        )
        unlike = sa.or_(events.c.number.is_(None), events.c.number != table.version, events.c.made != 1)
        joined = sa.select(table.id, table.version, events.c.number, events.c.made).select_from(
            table.id.table.outerjoin(events, events.c.record_id == table.id)
        )
        for row in session.execute(joined.where(unlike).limit(3)):
            yield f"{name} {row.id}: version {row.version}, {row.number} events, made by {row.made}"
        lost = sa.select(events.c.record_id).where(events.c.record_id.not_in(sa.select(table.id)))
        if session.scalar(sa.select(lost.exists())):
            yield f"events of {name} without a record"


def _plugins(session: Session, edition: Edition) -> Iterator[str]:
    """A plugin is enabled with its tables and ledger, or was never here."""
    tables = set(sa.inspect(session.connection()).get_table_names())
    states = {one.name: one for one in session.scalars(sa.select(PluginState))}
    owners = set(session.scalars(sa.select(LedgerEntry.plugin).distinct()))
    for name in PLUGINS:
        own = {one for one in tables if one.startswith(f"{name}_") or one == f"alembic_version_{name}"}
        if name not in states and (own or name in owners):
            yield f"{name} was never enabled, and left {sorted(own)}"
        if name in states and not (own and name in owners):
            yield f"{name} is known here, with tables {sorted(own)} and ledger {name in owners}"
    enabled = {name for name, state in states.items() if state.enabled}
    if enabled != {one.name for one in edition.plugins}:
        yield f"enabled {sorted(enabled)}, but the edition has {[one.name for one in edition.plugins]}"
    yield from (f"fault of {one.plugin}: {one.message}" for one in edition.faults)


def _search(session: Session, edition: Edition) -> Iterator[str]:
    """The words that records are found by are those of the records."""
    dialect = session.get_bind().dialect
    for name in ("customer", "order"):
        view = edition.entity(name)
        table = table_of(view)
        words = f"trellis_words({text_of(searchable(view), dialect)})"
        quote = dialect.identifier_preparer.quote
        if dialect.name == "postgresql":
            compared = f"{quote(table)} WHERE {WORDS} IS DISTINCT FROM {words}"
        else:
            compared = (
                f"(SELECT id AS record_id, {words} AS spoken FROM {quote(table)}) "
                f"FULL JOIN {quote(fts_name(table))} AS found ON found.rowid = record_id "
                "WHERE record_id IS NULL OR found.rowid IS NULL OR found.words IS NOT spoken"
            )
        unlike = session.scalar(sa.text(f"SELECT count(*) FROM {compared}"))
        if unlike:
            yield f"search: {unlike} records of {name} differ from their index"


class _TakenBack(Exception):
    """Ends a transaction that only looks."""


def _indexes(workspace: Workspace) -> Iterator[str]:
    """Making the indexes of search and of extension fields again changes nothing."""
    try:
        with workspace.namespace.connection() as connection:
            with Session(connection, join_transaction_mode="rollback_only") as session:
                edition = workspace.edition(session)
            before = _schema(connection)
            workspace.keep_search(connection)
            for view in edition.entities.values():
                create_extension_indexes(connection, view.entity, list(view.fields.values()))
            after = _schema(connection)
            raise _TakenBack
    except _TakenBack:
        yield from (f"index: {one}" for one in sorted(before ^ after)[:3])


def _schema(connection: sa.Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        statement = "SELECT type || ' ' || name FROM sqlite_master"
    else:
        statement = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    return set(connection.scalars(sa.text(statement)))


def _income(workspace: Workspace) -> Iterator[str]:
    """The rollup is what a rebuild would make."""
    query = sa.select(INCOME_DAY).order_by(*INCOME_DAY.primary_key)
    try:
        with workspace.write() as session:
            edition = workspace.edition(session)
            counted = INCOME_DAY.c.source.in_([one for one in _sources(edition)])
            before = {tuple(row) for row in session.execute(query.where(counted))}
            rebuild(session, edition)
            after = {tuple(row) for row in session.execute(query)}
            raise _TakenBack
    except _TakenBack:
        yield from (f"income differs from a rebuild: {one}" for one in sorted(before ^ after, key=str)[:3])


def _sources(edition: Edition) -> list[str]:
    from trellis.kpi.income import income_sources

    return income_sources(edition)


def _jobs(workspace: Workspace) -> Iterator[str]:
    """All are done, imports with their counts, backups with their files, and exports of fields that are still there."""
    with workspace.read() as session:
        for job in session.scalars(sa.select(Job).where(Job.state != "done", Job.kind.not_in(DAILY))):
            if job.kind == "export" and FIELD_GONE.fullmatch(job.problem):
                continue
            yield f"job {job.id} ({job.kind}) is {job.state} after {job.attempt} attempts: {job.problem}"
        for run in session.scalars(sa.select(ImportRun)):
            done = sum(run.result.get(name, 0) for name in ("created", "resumed"))
            if run.state != "done" or done != run.rows:
                yield f"import {run.id} is {run.state} with {done} of {run.rows} rows"
        for job in session.scalars(sa.select(Job).where(Job.kind == "backup").limit(20)):
            yield from _archive(session, job.id)


def _archive(session: Session, job_id: int) -> Iterator[str]:
    with TemporaryDirectory(prefix="trellis-kept-") as folder:
        path = Path(folder) / "backup.zip"
        if not files.bring(session, f"job/{job_id}", path) or zipfile.ZipFile(path).testzip():
            yield f"the backup of job {job_id} cannot be read"
