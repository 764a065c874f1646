"""What surveys ask by themselves, what is low, and sending that is killed or put off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from posting import Box, received
from processes import reopened, run
from trellis.config import Config
from trellis.crm.customers.questions import is_low
from trellis.errors import RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


@pytest.fixture
def records(workspace: Workspace) -> Iterator[Records]:
    with workspace.write() as session:
        yield Records(session, workspace.edition(session), SYSTEM)


def test_a_survey_has_its_usual_words_in_both_languages_until_somebody_writes_others(
    records: Records,
) -> None:
    made = records.create("survey", {"name": "Index", "kind": "acsi", "question_en": "Happy?"})
    assert made.values["question_en"] == "Happy?" and "довольны" in made.values["question_ru"]
    assert made.values["question3_en"] and made.values["low_at"] == 4
    turned = records.update("survey", made.id, {"kind": "csat"}).values
    assert (turned["question_en"], turned["question3_en"], turned["low_at"]) == ("Happy?", None, 2)
    assert "довольны" in turned["question_ru"]
    emptied = records.update("survey", made.id, {"question_en": None}).values
    assert emptied["question_en"].startswith("How satisfied")
    with pytest.raises(RecordInvalid, match="from 1 to 5"):
        records.update("survey", made.id, {"low_at": 6})
    assert [is_low(records.edition, "csat", score, 2) for score in (1, 2, 3)] == [True, True, False]


def test_low_effort_is_told_from_the_other_end_where_seven_is_hard(workspace: Workspace) -> None:
    with workspace.write() as session:
        edition = workspace.edition(session)
        settings = replace(edition.settings, analytics={"satisfaction": {"easy_is_high": False}})
        turned = replace(edition, settings=settings, _cache={})
        assert [is_low(turned, "ces", score, 3) for score in (7, 5, 4, 1)] == [True, True, False, False]
        assert [is_low(edition, "ces", score, 3) for score in (7, 4, 3, 1)] == [False, False, True, True]


INVITE = """
import dataclasses
from trellis.crm.customers import sending
from trellis.crm.customers.inviting import Chosen
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner

mailing = {"smtp_url": sys.argv[3], "mail_from": "crm@acme.test", "url": "https://crm.acme.test"}
installation.config = dataclasses.replace(installation.config, **mailing)
with workspace.write() as session:
    workspace.save_settings(session, {"mailing": {"quiet_from": "", "quiet_to": ""}})  # whatever time it is
    door = Records(session, workspace.edition(session), SYSTEM)
    survey = door.create("survey", {"name": "After a visit"}).id
    people = [
        door.create("customer", {"name": name, "email": f"{name}@x.test"}).id for name in ("ann", "later", "bob")
    ]
    sending.start(door, survey, Chosen(customers=people), installation.config)
sending._mark = die  # the mail is with the server; nobody has written that down
Runner(installation, JOB_KINDS).drain()
"""


def test_nobody_is_mailed_twice_when_the_sender_is_killed_or_put_off(
    config: Config, post_office: tuple[str, Box]
) -> None:
    address, box = post_office
    assert run(config, INVITE, address).returncode == -9
    assert [mail["To"] for mail in received(box)] == ["ann@x.test"]
    installation = reopened(config)
    mailing = {"smtp_url": address, "mail_from": "crm@acme.test", "url": "https://crm.acme.test"}
    installation.config = replace(installation.config, **mailing)  # type: ignore[arg-type]
    for _attempt in range(3):
        make_due(installation)
        Runner(installation, JOB_KINDS).drain()
    assert [mail["To"] for mail in received(box)] == ["bob@x.test"]
    with installation.workspace("acme").read() as session:
        rows = session.execute(sa.text("SELECT email, state FROM survey_invitation ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [
        ("ann@x.test", "unclear"),
        ("later@x.test", "waiting"),
        ("bob@x.test", "sent"),
    ]
    installation.close()


def make_due(installation: Installation) -> None:
    """The lease of whoever was killed, or the pause after an error, is over."""
    with installation.workspace("acme").write() as session:
        due = sa.update(Job).where(Job.finished_at.is_(None)).values(due_at=Job.created_at)
        session.execute(due.execution_options(synchronize_session=False))
