"""The analysis of a funnel says what is counted by hand over the same opportunities, on both databases."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
import sqlalchemy as sa
from importing import imported
from sqlalchemy.orm import Session
from trellis.contributions import Grant, Role, Scope
from trellis.crm.sales.counting import Scope as Counted
from trellis.crm.sales.counting import funnel_named, last_months
from trellis.crm.sales.effectiveness import effectiveness
from trellis.crm.sales.funnel import Funnel, funnel
from trellis.crm.sales.history import STAY
from trellis.errors import PermissionRefused
from trellis.i18n import Text
from trellis.kpi.periods import Period, parse
from trellis.kpi.targets import set_target
from trellis.records.door import Records, Write
from trellis.records.importer.plans import Plan
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.workspace import Workspace

TODAY = date.today()
"""Stages are entered now, so the period that is looked at is the running one."""


def counted(
    workspace: Workspace, session: Session, period: str | Period = "", actor: Actor = SYSTEM
) -> Counted:
    edition = workspace.edition(session)
    chosen = parse(period) if isinstance(period, str) and period else period or last_months(TODAY, 1)
    assert isinstance(chosen, Period)
    return Counted(
        session=session,
        edition=edition,
        actor=actor,
        lifecycle=funnel_named(session, edition, actor, None),
        period=chosen,
        today=TODAY,
    )


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine, "before_cursor_execute", note)


def moved(records: Records, name: str, *stages: str, **values: Any) -> int:
    """An opportunity that goes through these stages."""
    record = records.create("opportunity", {"name": name, "amount": 1000, **values}).id
    for stage in stages:
        records.move("opportunity", record, stage, {"lost_reason": "Price"} if stage == "lost" else {})
    return record


def test_conversion_counts_skipped_stages_and_looks_at_those_that_entered(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        for number in range(10):
            moved(records, f"Stays {number}")
        for number in range(4):
            moved(records, f"Goes {number}", "discover", "propose")
        moved(records, "Skips", "negotiate")
        moved(records, "Won", "discover", "won", amount=6000)
        moved(records, "Lost", "discover", "lost")
        old = moved(records, "Old", begun_on="2020-01-05")
        records.delete("opportunity", moved(records, "Binned", "won"))
        with statements(session) as asked:
            found = funnel(counted(workspace, session))
        assert len(asked) <= 10
        assert [(one.stage.value, one.entered, one.passed) for one in found.passages] == [
            ("qualify", 17, 7),  # the one of 2020 did not enter in this period
            ("discover", 7, 6),
            ("propose", 6, 2),
            ("negotiate", 2, 1),
        ]
        assert (found.entered, found.won_of_entered) == (17, 1)
        before = funnel(counted(workspace, session, "2020"))
        assert [one.entered for one in before.passages] == [1, 0, 0, 0]
        assert [one.title for one in found.reasons] == ["Price"]
        ageing = {one.stage.value: one for one in found.ageing}
        assert (ageing["qualify"].number, ageing["qualify"].very_late) == (11, 1)
        assert [one.id for one in found.oldest] == [old]
        stays = session.execute(
            sa.select(STAY.c.stage, STAY.c.left_at).where(STAY.c.opportunity_id == 15)
        ).all()
        assert [stage for stage, _left in stays] == ["qualify", "negotiate"]
        assert [left is None for _stage, left in stays] == [False, True]


FILE_STAGES = {"Prospecting": "qualify", "Engaging": "discover", "Won": "won", "Lost": "lost"}
AGENTS = ("Darcel Schlecht", "Vicki Laflamme", "  Anna Snelling", "Zane Levy", "Rosalina Dieter")
ACCOUNTS = ("Acme Corporation", "technology sector ", "Zotware", "", "Kan-code")
REASONS = ("Price", "price", "PRICE ", "Competitor", "no budget", "")


def opportunities(number: int) -> list[dict[str, str]]:
    """A file as another CRM exports it: dirty names, empty accounts, open ones without dates, amounts of won ones only."""
    dice = random.Random(20171231)
    rows = []
    for place in range(number):
        stage = dice.choices(tuple(FILE_STAGES), (5, 15, 45, 30))[0]
        begun = date(2016, 10, 20) + timedelta(days=dice.randrange(420))
        closed = begun + timedelta(days=dice.choice((0, 1, 9, 45, 85, 107, 138)))
        ended = stage in ("Won", "Lost")
        rows.append(
            {
                "opportunity_id": f"{place:05X}",
                "sales_agent": dice.choice(AGENTS),
                "product": dice.choice(("GTX Pro", "GTXPro", "MG Special")),
                "account": dice.choice(ACCOUNTS),
                "deal_stage": stage,
                "engage_date": "" if stage == "Prospecting" else begun.isoformat(),
                "close_date": closed.isoformat() if ended else "",
                "close_value": str(dice.randrange(30, 5800))
                if stage == "Won"
                else "0"
                if stage == "Lost"
                else "",
                "reason": dice.choice(REASONS) if stage == "Lost" else "",
            }
        )
    return rows


def exported(workspace: Workspace, rows: list[dict[str, str]], tmp_path: Path) -> dict[str, int]:
    """The file imported, with people and customers under the names that it has; the ids of the people."""
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        people = {
            name.strip(): records.create(
                "user", {"name": name.strip(), "email": f"p{n}@acme.test", "external_id": name.strip()}
            ).id
            for n, name in enumerate(AGENTS)
        }
        named = dict.fromkeys(row["account"].strip() for row in rows if row["account"].strip())
        records.save("customer", [Write(values={"name": one, "external_id": one}) for one in named])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(
        {
            **row,
            "deal_stage": FILE_STAGES[row["deal_stage"]],
            "reason": row["reason"] or ("unknown" if row["deal_stage"] == "Lost" else ""),
        }
        for row in rows
    )
    path = tmp_path / "sales_pipeline.csv"
    path.write_text(text.getvalue())
    columns = {
        "external_id": "opportunity_id",
        "name": "opportunity_id",
        "owner": "sales_agent",
        "customer": "account",
        "stage": "deal_stage",
        "begun_on": "engage_date",
        "closed_at": "close_date",
        "amount": "close_value",
        "lost_reason": "reason",
    }
    result = imported(workspace, "opportunity", path, mapping=Plan(columns=columns), key="external_id")
    assert (result.created, result.rejected) == (len(rows), 0), result.rejections[:3]
    return people


def days_of(row: dict[str, str]) -> int:
    return (date.fromisoformat(row["close_date"]) - date.fromisoformat(row["engage_date"])).days


def assert_as_by_hand(found: Funnel, rows: list[dict[str, str]]) -> None:
    ended = [row for row in rows if row["close_date"].startswith("2017")]
    won = [row for row in ended if row["deal_stage"] == "Won"]
    lost = [row for row in ended if row["deal_stage"] == "Lost"]
    assert (found.closed.won, found.closed.lost) == (len(won), len(lost))
    assert found.closed.win_rate == pytest.approx(len(won) / len(ended))
    assert found.closed.amount == sum(Decimal(row["close_value"]) for row in won)
    assert found.closed.average == found.closed.amount / len(won)
    assert found.closed.cycle == pytest.approx(mean(map(days_of, won)))
    assert found.median_cycle == pytest.approx(median(map(days_of, won)))
    by_reason: dict[str, int] = defaultdict(int)
    for row in lost:
        by_reason[row["reason"].strip().lower() or "unknown"] += 1
    assert {one.title.lower(): one.number for one in found.reasons} == by_reason
    assert sum(one.share for one in found.reasons) == pytest.approx(1)


def test_an_exported_file_counts_as_by_hand(workspace: Workspace, tmp_path: Path) -> None:
    rows = opportunities(400)
    people = exported(workspace, rows, tmp_path)
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.create("lost_reason", {"name": "Price"})
        month = parse("2017-03")
        set_target(
            session,
            workspace.edition(session),
            "sales_won",
            month,
            Decimal(20_000),
            person=people["Zane Levy"],
        )
    with workspace.read() as session:
        found = funnel(counted(workspace, session, "2017"))
        assert_as_by_hand(found, rows)
        assert found.reasons[0].title == "Price"  # as the list of reasons spells it
        open_then = [
            row
            for row in rows
            if (row["engage_date"] or "2099") < "2018"
            and (not row["close_date"] or row["close_date"] >= "2018")
        ]
        assert found.open == len(open_then)
        velocity = Decimal(found.open) * Decimal(str(found.closed.win_rate)) * (found.closed.average or 0)
        assert found.velocity == pytest.approx(
            velocity / Decimal(str(found.closed.cycle)), rel=Decimal("1e-9")
        )
        compared = effectiveness(counted(workspace, session, "2017"))
        for one in compared.rows:
            mine = [row for row in rows if people[row["sales_agent"].strip()] == one.key]
            ended = [row for row in mine if row["close_date"].startswith("2017")]
            won = [row for row in ended if row["deal_stage"] == "Won"]
            assert (one.closed.won, one.closed.lost) == (len(won), len(ended) - len(won)), one.title
            assert one.closed.amount == sum(Decimal(row["close_value"]) for row in won)
            assert one.closed.cycle == pytest.approx(mean(map(days_of, won)))
        assert {one.title for one in compared.rows} == set(people)
        march = effectiveness(counted(workspace, session, "2017-03"))
        zane = next(one for one in march.rows if one.title == "Zane Levy")
        assert zane.planned.fact == zane.closed.amount
        assert zane.planned.attainment == pytest.approx(float(zane.closed.amount / 20_000))


def test_readers_count_what_they_see_and_nothing_of_withheld_fields(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        me = records.create("user", {"name": "Sam", "email": "sam@acme.test"}).id
        won = moved(records, "Mine", "won", owner=me, channel="Fair")
        moved(records, "Theirs", "won")
        moved(records, "Theirs too", "lost")
        for subject in ("Call", "Visit"):
            talk = {"subject": subject, "opportunity": won, "owner": me, "done_at": datetime.now(UTC)}
            records.create("activity", talk)
        own = [Grant(name, read=Scope.OWN) for name in ("opportunity", "activity", "user")]
        sam = Actor(
            user_id=me, name="Sam", grants=merge_grants([Role(name="own.sam", title=Text("Sam"), grants=own)])
        )
        for actor, numbers, whole in ((SYSTEM, (2, 1), True), (sam, (1, 0), False)):
            scope = counted(workspace, session, actor=actor)
            found = funnel(scope)
            assert ((found.closed.won, found.closed.lost), scope.whole) == (numbers, whole)
        rows = effectiveness(counted(workspace, session, actor=sam), "channel").rows
        assert [(one.key, one.activities_per_win) for one in rows] == [("Fair", 2)]
        assert [one.title for one in effectiveness(counted(workspace, session)).rows] == ["Sam", "Not set"]
        nobody = Actor(user_id=me, name="Sam", grants=merge_grants([Role(name="own.no", title=Text("No"))]))
        with pytest.raises(PermissionRefused):
            funnel(counted(workspace, session, actor=nobody))
