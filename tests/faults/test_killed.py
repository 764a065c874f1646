"""SIGKILL at bad moments: the workspace opens again, with what was acknowledged and no half state."""

from __future__ import annotations

import io
import signal
import textwrap
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from callers import open_client
from posting import Box, received
from processes import reopened, run
from trellis import enabling
from trellis.config import Config
from trellis.crm.customers.entities import Customer
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.records.door import Records
from trellis.records.importer import run_import
from trellis.rest import imports
from trellis.security.actor import SYSTEM
from trellis.web.app import create_app
from trellis.workspace import Workspace

ENABLING_STEPS = {
    "after its tables": "enabling._remember = die",
    "before its indexes": "enabling.create_extension_indexes = die",
    "before the edition is told": "enabling.raise_revision = die",
}


@pytest.mark.parametrize("step", ENABLING_STEPS)
def test_killed_while_enabling_there_is_no_half_enabled_plugin(config: Config, step: str) -> None:
    done = run(config, f"{ENABLING_STEPS[step]}\nenabling.enable(workspace, 'gym')")
    assert done.returncode == -signal.SIGKILL, done.stderr
    installation = reopened(config)
    try:
        workspace = installation.workspace("acme")
        assert {info.name: info.state for info in enabling.overview(workspace)} == {"gym": "available"}
        enabling.enable(workspace, "gym")
        with workspace.write() as session:
            Records(session, workspace.edition(session), SYSTEM).create("gym.membership", {"name": "Gold"})
    finally:
        installation.close()


def test_killed_between_batches_keeps_every_acknowledged_write_and_nothing_else(config: Config) -> None:
    script = """
    for batch in range(1000):
        with workspace.write() as session:
            records = Records(session, workspace.edition(session), SYSTEM)
            records.save("customer", [Write(values={"name": f"{batch}-{row}"}) for row in range(20)])
            if batch == 7:
                die()
        print(batch, flush=True)
    """
    done = run(config, script)
    assert done.returncode == -signal.SIGKILL, done.stderr
    acknowledged = [int(line) for line in done.stdout.split()]
    assert acknowledged == list(range(7))
    installation = reopened(config)
    try:
        workspace = installation.workspace("acme")
        with workspace.read() as session:
            records = Records(session, workspace.edition(session), SYSTEM)
            names = {record.values["name"] for record in records.list("customer", limit=500).items}
        assert names == {f"{batch}-{row}" for batch in acknowledged for row in range(20)}
    finally:
        installation.close()


IMPORT = """
from trellis.records.importer import run_import

def told(done, total):
    print(done, flush=True)
    if done == 2000:
        die()

run_import(workspace, SYSTEM, "customer", Path(sys.argv[3]), told=told)
"""


@pytest.mark.parametrize("columns", [("name",), ("external_id", "name")], ids=["without a key", "with a key"])
def test_a_killed_import_goes_on_and_nothing_doubles(config: Config, columns: tuple[str, ...]) -> None:
    path = config.home.parent / "customers.csv"
    rows = [",".join([f"C{number}"] * len(columns)) for number in range(2500)]
    path.write_text("\n".join([",".join(columns), *rows]))
    done = run(config, IMPORT, str(path))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.split() == ["1000", "2000"]
    installation = reopened(config)
    try:
        workspace = installation.workspace("acme")
        assert names_in(workspace) == [f"C{number}" for number in range(2000)]
        result = run_import(workspace, SYSTEM, "customer", path)
        assert (result.created, result.resumed + result.unchanged) == (500, 2000)
        assert names_in(workspace) == [f"C{number}" for number in range(2500)]
    finally:
        installation.close()


WORKED = """
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, Work
from trellis.records.importer import runs

def tell(work, done, total):
    told(work, done, total)
    if done == 1000:
        die()

told = Work.tell
{step}
Runner(installation, JOB_KINDS).drain()
"""
BETWEEN_BATCHES, AT_THE_END = "Work.tell = tell", "runs.forget = die"


@pytest.mark.parametrize(
    ("step", "done"), [(BETWEEN_BATCHES, 1000), (AT_THE_END, 1500)], ids=["between two batches", "at its end"]
)
def test_an_import_over_rest_whose_worker_was_killed_is_ended_by_the_next(
    config: Config, monkeypatch: pytest.MonkeyPatch, step: str, done: int
) -> None:
    rows = "\n".join(["name", *(f"C{number}" for number in range(1500))])
    monkeypatch.setattr(imports, "PATIENCE", 0)
    installation = reopened(config)
    try:
        workspace = installation.workspace("acme")
        client = open_client(
            create_app(installation), installation, workspace, "a@acme.test", ["administrator"]
        )
        data = {"entity": "customer", "file": (io.BytesIO(rows.encode()), "c.csv")}
        assert client("POST", "/imports", data=data).status_code == 202
        killed = run(config, WORKED.replace("{step}", step))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        told = client.get("/imports/1").json
        assert (told["state"], told["rows"]) == ("running", done)
        runner = Runner(installation, JOB_KINDS)
        assert runner.drain() == 0  # the lease of the dead has not ended
        with workspace.write() as session:
            session.execute(sa.update(Job).values(due_at=datetime.now(UTC)))
        assert runner.drain() == 1
        told = client.get("/imports/1").json
        assert (told["state"], told["resumed"], told["created"]) == ("done", done, 1500 - done)
        assert names_in(workspace) == [f"C{number}" for number in range(1500)]
    finally:
        installation.close()


SENT = """
import io
from trellis.rest import imports
from trellis.web.app import create_app

imports._ended = die
create_app(installation).test_client().post(
    "/api/v1/acme/imports",
    headers={"Authorization": f"Bearer {sys.argv[3]}", "Idempotency-Key": "once"},
    data={"entity": "customer", "file": (io.BytesIO(b"name\\nAnna"), "c.csv")},
)
"""


def test_an_import_that_is_sent_again_after_a_kill_finds_the_first(config: Config) -> None:
    installation = reopened(config)
    try:
        workspace = installation.workspace("acme")
        app = create_app(installation)
        client = open_client(app, installation, workspace, "a@acme.test", ["administrator"])
        killed = run(config, SENT, client.token)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        data = {"entity": "customer", "file": (io.BytesIO(b"name\nAnna"), "c.csv")}
        again = client("POST", "/imports", headers={"Idempotency-Key": "once"}, data=data)
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
        assert Runner(installation, JOB_KINDS).drain() == 1
        assert client("GET", again.headers["Location"].removeprefix(client.base)).json["created"] == 1
        assert names_in(workspace) == ["Anna"]
    finally:
        installation.close()


def names_in(workspace: Workspace) -> list[str]:
    with workspace.read() as session:
        return list(session.scalars(sa.select(Customer.name).order_by(Customer.id)))


PROCESS = """
from datetime import timedelta
import sqlalchemy as sa
import dataclasses
from drawn import flows, message, node, process, several, timer
from samples import plugin
from trellis.contributions import Process
from trellis.i18n import Text
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, queue
from trellis.jobs.work import Work
from trellis.process import jobs as process_jobs
from trellis.process.doing import Doing
from trellis.process.engine import Engine
from trellis.process.runs import Runs

def note(name, **more):
    subject = "{record.name} " + name
    call = {"entity": "activity", "set__subject": subject, "set__customer": "=record.id"}
    return node("serviceTask", name, call="create_record", **call, **more)

DIAGRAM = process(
    node("startEvent", "start", inside=message("m")), note("one"),
    node("receiveTask", "wait", messageRef="noted", match__customer="=record.id"),
    node("serviceTask", "tell", call="send_mail", to="a@x.test", subject="{record.name}", text="x"),
    node("intermediateCatchEvent", "rest", inside=timer("PT1S")),
    note("two", each="2", inside=several()), node("endEvent", "end"),
    flows("start one wait tell rest two end"), messages={"m": "customer.created", "noted": "activity.created"},
)
post = {"smtp_url": sys.argv[3], "mail_from": "crm@acme.test", "url": "https://acme.test"}
installation.config = dataclasses.replace(installation.config, **post)
found = [Process(name="probe.notes", title=Text("Notes"), diagram=DIAGRAM, entity="customer")]
installation.plugins.add(plugin("probe", trellis_processes=lambda: found))
enabling.enable(workspace, "probe")
queue.LEASE = timedelta(0)

def left():
    with workspace.read() as session:
        return session.scalar(sa.text("SELECT count(*) FROM job WHERE finished_at IS NULL AND kind LIKE 'process%'"))

def dies_at(owner, name, number, after=False):
    real, calls = getattr(owner, name), [0]
    def counted(*a, **k):
        calls[0] += 1
        if calls[0] == number and not after:
            die()
        result = real(*a, **k)
        if calls[0] == number:
            die()
        return result
    setattr(owner, name, counted)
"""
MOMENTS = (
    "dies_at(process_jobs, 'send_once', 1, after=True)",
    "dies_at(Engine, 'tick', 1, after=True)",
    "dies_at(Doing, 'do', 1, after=True)",
    "dies_at(Runs, 'keep', 2)",
    "dies_at(Work, 'finish', 3)",
    "dies_at(queue, 'claim', 4, after=True)",
)


def test_instances_of_killed_workers_end_once_and_their_steps_happen_once(
    config: Config, post_office: tuple[str, Box]
) -> None:
    url, box = post_office
    create = """
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        records.save("customer", [Write(values={"name": f"C{n}"}) for n in range(6)])
    """
    assert run(config, PROCESS + textwrap.dedent(create), url).returncode == 0
    drain = "\nwhile left():\n    Runner(installation, JOB_KINDS).drain()\n"
    for moment in MOMENTS:
        died = run(config, PROCESS + moment + drain, url)
        assert died.returncode == -signal.SIGKILL, died.stderr
    ended = run(config, PROCESS + drain, url)
    assert ended.returncode == 0, ended.stderr
    installation = reopened(config)
    try:
        with installation.workspace("acme").read() as session:
            states = session.execute(
                sa.text("SELECT record_id, state FROM process_instance ORDER BY record_id")
            ).all()
            notes = session.scalars(sa.text("SELECT subject FROM activity ORDER BY subject")).all()
    finally:
        installation.close()
    assert [state for _record, state in states] == ["done"] * 6 and len({one for one, _state in states}) == 6
    assert notes == [f"C{number} {name}" for number in range(6) for name in ("one", "two", "two")]
    assert sorted(str(one["Subject"]) for one in received(box)) == [f"C{number}" for number in range(6)]
