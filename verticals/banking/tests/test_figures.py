"""Each figure of the bank leads to a list of exactly its records."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from trellis import enabling
from trellis.contributions import Kpi
from trellis.kpi.behind import drill_rule, records
from trellis.kpi.periods import Grain, containing
from trellis.records.door import Records
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace
from trellis_banking.entities import Application, Deposit, KycReview


def test_a_list_has_exactly_the_records_of_its_figure(workspace: Workspace) -> None:
    enabling.enable(workspace, "banking")
    today = datetime.now(UTC).date()
    year = containing(today, Grain.YEAR)
    with workspace.write() as session:
        edition = workspace.edition(session)
        door = Records(session, edition, SYSTEM)
        customer = door.create("customer", {"name": "Anna"}).id

        def rows(entity: Any, field: str, values: tuple[Any, ...], **given: Any) -> None:
            ids = [door.create(entity.__entity__.name, {"customer": customer, **given}).id for _one in values]
            for number, value in zip(ids, values, strict=True):
                changed = value if isinstance(value, dict) else {field: value}
                session.execute(sa.update(entity).where(entity.id == number).values(**changed))

        moment = datetime(year.first.year, 1, 1, 12, tzinfo=UTC)
        closed = ({"stage": stage, "closed_at": moment} for stage in ("paid_out", "rejected"))
        rows(Application, "stage", tuple(closed), amount=1000, name="A")
        ended = {"amount": 100, "opened_on": year.first, "matures_on": year.first, "number": "D"}
        rows(Deposit, "status", ("renewed", "paid_out", "open"), **ended)
        days = (today - timedelta(days=1), min(today + timedelta(days=1), date(today.year, 12, 31)))
        rows(KycReview, "due_on", days, due_on=today, name="K")
        told = {}
        for name, kpi in edition.all(Kpi).items():
            rule, behind = drill_rule(edition, kpi, year), records(edition, SYSTEM, name, year, today=today)
            assert rule is not None and behind is not None, name
            listed = ListQuery(edition.entity(behind[0]), edition, SYSTEM, rule=rule).count(session, 100)
            told[name] = len(set(session.scalars(behind[1])))
            assert listed == told[name], name
        assert (told["banking.lent"], told["banking.deposit_renewal"]) == (1, 2)
