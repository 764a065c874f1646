"""One request's work in a workspace, on ``flask.g``.

``g.workspace``, ``g.edition``, ``g.actor``, ``g.session`` and ``g.records`` belong to one transaction: of a request that
reads, it ends with the request; of one that writes, it is committed before the answer leaves, or rolled back when the
answer is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from sqlalchemy.orm import Session

from trellis.installation import Installation
from trellis.plugins import Fault
from trellis.records.door import Records
from trellis.security.recognition import Recognised
from trellis.workspace import Workspace

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., Any])

_OUTSIDE = "_outside_transaction"


def outside_transaction(view: View) -> View:
    """Marks a view that lets an engine open transactions of its own (enabling a plugin, an import).

    It has ``g.workspace``, ``g.edition`` and ``g.actor``, and calls :func:`reopen` for a session.
    """
    setattr(view, _OUTSIDE, True)
    return view


@dataclass
class Work:
    """The open transaction of a request, and what is left to do when it has ended."""

    workspace: Workspace
    transaction: AbstractContextManager[Session] | None = None
    writes: bool = False
    records: Records | None = None
    faults: list[Fault] = field(default_factory=list)


def installation() -> Installation:
    """The installation that the application serves."""
    return cast(Installation, current_app.extensions["trellis"])


def open_work(name: str) -> Session:
    """Enters the workspace of that name: sets ``g.workspace`` and ``g.session``. Raises WorkspaceNotFound."""
    g.workspace = installation().workspace(name)
    g.work = Work(g.workspace)
    writes = request.method not in SAFE and not is_outside()
    if writes:  # what the client sends is received first: nobody else can write while it is on its way
        _ = request.files if request.mimetype == "multipart/form-data" else request.get_data()
    return _begin(writes)


def admit(found: Recognised) -> None:
    """Sets what depends on who asks: ``g.edition``, ``g.actor``, ``g.email`` and ``g.records``."""
    g.edition, g.actor, g.email = found.edition, found.actor, found.email
    g.records = g.work.records = Records(g.session, g.edition, g.actor)
    if is_outside():
        pause()


def is_outside() -> bool:
    """Whether the view of this request opens transactions of its own."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), _OUTSIDE)


def pause() -> None:
    """Ends the request's transaction for the time being, so that an engine can have its own."""
    _end(commit=True)
    g.pop("session", None)
    g.pop("records", None)


def reopen() -> None:
    """Reads on, in a new transaction that sees what has been committed meanwhile."""
    if g.work.transaction is not None:
        pause()
    session = _begin(writes=False)
    g.edition = g.workspace.edition(session)
    g.records = g.work.records = Records(session, g.edition, g.actor)


def keep_fault(fault: Fault) -> None:
    """Keeps a plugin's fault for the administrator when the request has ended."""
    g.work.faults.append(fault)


def configure(app: Flask) -> None:
    """Ends the work of every request of the application."""
    app.after_request(_finish)
    app.teardown_request(_close)


def _begin(writes: bool) -> Session:
    work: Work = g.work
    transaction = work.workspace.write() if writes else work.workspace.read()
    session = g.session = transaction.__enter__()
    work.transaction, work.writes = transaction, writes
    return session


def _end(*, commit: bool) -> None:
    work: Work = g.work
    transaction, work.transaction = work.transaction, None
    if transaction is None:
        return
    if not commit:
        g.session.rollback()
    transaction.__exit__(None, None, None)
    records, work.records = work.records, None
    if records is not None:
        if commit:
            records.committed()
        work.faults += records.faults


def _finish(response: Response) -> Response:
    work: Work | None = g.get("work")
    if work is not None and work.writes:
        _end(commit=response.status_code < 400)
    return response


def _close(error: BaseException | None) -> None:
    work: Work | None = g.get("work")
    if work is None:
        return
    _end(commit=error is None and not work.writes)
    work.workspace.record_faults(work.faults)
    work.faults = []
