"""The job that keeps what closed periods came to, each night of the workspace."""

from __future__ import annotations

from typing import Any

from trellis.contributions import Kpi
from trellis.jobs.work import Work
from trellis.kpi import snapshots
from trellis.plugins import CORE, Fault

KIND = "kpi_snapshots"


def work(work: Work) -> None:
    """Takes snapshots of all KPIs, each in a transaction of its own. A KPI whose plugin fails is reported and left out."""
    with work.workspace.read() as session:
        names = list(work.workspace.edition(session).all(Kpi))
    counts = {"reported": 0, "recounted": 0}
    for done, name in enumerate(names):
        work.tell(done, len(names))
        for key, number in _take(work, name).items():
            counts[key] += number
    with work.workspace.write() as session:
        work.finish(session, counts)


def _take(work: Work, name: str) -> dict[str, Any]:
    owner = CORE
    try:
        with work.workspace.write() as session:
            edition = work.workspace.edition(session)
            kpi = edition.all(Kpi).get(name)
            if kpi is None:
                return {}
            owner = kpi.owner
            return vars(snapshots.take(session, edition, kpis=[kpi]))
    except Exception as error:  # a select is code of a plugin: it may raise anything
        if owner == CORE:
            raise
        work.workspace.record_faults([Fault.of(owner, "trellis_kpis", error)])
        return {}
