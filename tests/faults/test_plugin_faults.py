"""A plugin that misbehaves in every way, in every hook: the rest goes on, and the administrator sees who and where."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from callers import Client, open_client
from flask.testing import FlaskClient
from samples import gym, plugin, registry
from trellis import enabling, guard, hookspecs, quarantine
from trellis.contributions import (
    Cell,
    Direction,
    Kpi,
    Level,
    MenuItem,
    Panel,
    RestEndpoint,
    Segment,
    Unit,
)
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.customers.entities import Customer
from trellis.errors import Conflict, PluginError
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.system import PluginFault
from trellis.web.app import create_app
from trellis.workspace import Workspace
from trellis.workspace_state import raise_revision
from werkzeug.test import TestResponse

PASSWORD = "a long password"
EVENTS = ("trellis_before_save", "trellis_after_save", "trellis_after_commit", "trellis_segment_entered")
BUILT = [name for name in vars(hookspecs) if name.startswith("trellis_") and name not in EVENTS]
"""The hooks that are called when an edition is built."""
BAD = "bad"


def hang(*_arguments: Any, **_named: Any) -> Any:
    """Long enough to be noticed, and over by the end of the test run."""
    time.sleep(2)


def crash(*_arguments: Any, **_named: Any) -> Any:
    raise ZeroDivisionError("out of order")


def endless() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


WRONG: dict[str, Callable[[], Any]] = {
    "raises": crash,
    "hangs": hang,
    "returns nothing": lambda: None,
    "returns a number": lambda: 42,
    "returns no end": endless,
    "returns strangers": lambda: [object(), None, "segment"],
    "floods": lambda: [None] * (guard.MOST_CONTRIBUTIONS + 1),
}


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.15)


@dataclass
class House:
    plugin: Any
    workspace: Workspace
    hooks: dict[str, Callable[..., Any]]
    client: Client
    browser: FlaskClient

    def faults(self) -> dict[tuple[str, str], str]:
        """(plugin, hook) to message."""
        with self.workspace.read() as session:
            return {(one.plugin, one.hook): one.message for one in session.scalars(sa.select(PluginFault))}

    def customers(self) -> int:
        with self.workspace.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0

    def write(self, name: str) -> None:
        with self.workspace.write() as session:
            Records(session, self.workspace.edition(session), SYSTEM).create("customer", {"name": name})

    def form(self, path: str, **given: str) -> TestResponse:
        """What a form says that was filled in and sent in the browser."""
        token = self.browser.get(path).text.split('name="csrf_token" value="')[1].split('"')[0]
        return self.browser.post(path, data={"csrf_token": token, **given})

    def state(self) -> str:
        return next(one.state for one in enabling.overview(self.workspace) if one.name == "bad")


def enabled(open_installation: Callable[..., Installation], **hooks: Callable[..., Any]) -> House:
    """``acme`` with the gym, and with a plugin whose hooks are called through ``hooks``, so that they can turn bad later."""
    held = dict(hooks)
    stubs = {name: _stub(held, name) for name in hooks if name.startswith("trellis_")}
    bad = plugin(BAD, **stubs)
    installation = open_installation(plugins=registry(gym(), bad))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    enabling.enable(workspace, "bad")
    app = create_app(installation)
    client = open_client(app, installation, workspace, "admin@acme.test", ["administrator"])
    add_user(installation, workspace, "anna@acme.test", "Anna", ["administrator"], PASSWORD)
    browser = app.test_client()
    token = browser.get("/acme/login").text.split('name="csrf_token" value="')[1].split('"')[0]
    browser.post("/acme/login", data={"csrf_token": token, "email": "anna@acme.test", "password": PASSWORD})
    return House(bad, workspace, held, client, browser)


def _stub(held: dict[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
    if name.startswith("trellis_before") or name.startswith("trellis_after"):
        return lambda event: held[name](event)
    return lambda: held[name]()


# --- When the edition is built ---


@pytest.mark.parametrize("database", ["sqlite"])  # no database is asked
def test_whatever_a_hook_gives_the_edition_is_built_without_it(
    open_installation: Callable[..., Installation],
) -> None:
    house = enabled(open_installation, **{name: list for name in BUILT})
    with house.workspace.read() as session:
        for way, wrong in WRONG.items():
            house.hooks.update({hook: wrong for hook in BUILT})
            edition = house.workspace.compose(session)
            assert {(one.plugin, one.hook) for one in edition.faults} == {(BAD, hook) for hook in BUILT}, way
            assert {"customer", "gym.membership"} <= edition.entities.keys(), way
            assert "gym.members" in edition.all(Segment), way
        house.hooks.update({hook: list for hook in BUILT})
        assert house.workspace.compose(session).faults == ()


def test_the_pages_go_on_and_the_administrator_sees_the_fault(
    open_installation: Callable[..., Installation],
) -> None:
    house = enabled(open_installation, trellis_segments=list)
    house.hooks["trellis_segments"] = crash
    with house.workspace.write() as session:
        raise_revision(session.connection())
    assert house.browser.get("/acme/customer").status_code == 200
    assert house.client.get("/gym.membership").status_code == 200
    page = house.browser.get("/acme/settings/plugins").text
    assert "trellis_segments" in page and "out of order" in page
    log = house.browser.get("/acme/settings/plugins/bad/faults").text
    assert "ZeroDivisionError" in log and "def crash" not in log and "in crash" in log
    told = next(one for one in house.client.get("/plugins").json["items"] if one["name"] == BAD)
    assert [(one["hook"], one["count"] > 0) for one in told["faults"]] == [("trellis_segments", True)]


# --- When a page or a call is asked for ---


def _shown(house: House, load: Callable[..., Any]) -> tuple[str, Any, Any]:
    """The record page with a panel of the plugin, and its calls, when they are made of ``load``."""
    house.hooks["load"] = load
    page = house.browser.get("/acme/customer/1")
    assert page.status_code == 200 and "Petra" in page.text
    return page.text, house.client.get("/x/bad/look"), house.client.post("/x/bad/act", {})


def _leaky(records: Records, *_arguments: Any) -> dict[str, Any]:
    """Writes in a call that reads, and leaves it open."""
    records.session.execute(sa.update(Customer).values(city="Leaked"))
    return {"text": "fine"}


def test_panels_and_calls_that_fail_are_a_quiet_card_and_a_declared_problem(
    open_installation: Callable[..., Installation],
) -> None:
    held: dict[str, Callable[..., Any]] = {}

    def load(*arguments: Any) -> Any:
        return held["house"]().hooks["load"](*arguments)

    house = enabled(
        open_installation,
        load=crash,
        trellis_panels=lambda: [
            Panel(name="bad.panel", title=Text("Odd"), entity="customer", load=load, template="prop.html"),
            Panel(
                name="bad.gone",
                title=Text("Gone"),
                entity="customer",
                load=lambda *_a: {},
                template="no.html",
            ),
        ],
        trellis_rest=lambda: [
            RestEndpoint(name="bad.look", title=Text("Look"), slug="look", call=load),
            RestEndpoint(name="bad.act", title=Text("Act"), slug="act", call=load, method="POST"),
        ],
    )
    held["house"] = lambda: house
    house.write("Petra")
    flood = {"text": "x" * (guard.LARGEST_ANSWER + 1)}
    for way, wrong in {
        "raises": crash,
        "hangs": hang,
        "nonsense": lambda *_a: 42,
        "floods": lambda *_a: flood,
    }.items():
        page, look, act = _shown(house, wrong)
        assert "“Odd” is not available" in page and "“Gone” is not available" in page, way
        if way != "nonsense":  # a number is a fine answer of a call
            assert (look.status_code, act.status_code) == (500, 500), way
            assert look.json["code"] == act.json["code"] == "plugin_failed", way
        assert house.client.create("customer", name=way) > 0
    assert set(house.faults()) == {(BAD, "trellis_panels"), (BAD, "trellis_rest")}


def test_a_read_of_a_plugin_keeps_nothing_that_it_wrote(
    open_installation: Callable[..., Installation],
) -> None:
    endpoint = RestEndpoint(name="bad.look", title=Text("Look"), slug="look", call=_leaky)
    house = enabled(open_installation, trellis_rest=lambda: [endpoint])
    house.write("Petra")
    told = house.client.get("/x/bad/look").json  # PostgreSQL refuses to write in a transaction that reads
    assert told == {"text": "fine"} or told["code"] == "plugin_failed"
    assert house.client.get("/customer/1").json["city"] is None


# --- When figures are computed ---


def _counted(query: Any) -> Any:
    return sa.select(sa.func.count()).select_from(Customer).where(query.visible(Customer))


def test_a_kpi_a_segment_and_an_income_source_that_fail_leave_the_others(
    open_installation: Callable[..., Installation],
) -> None:
    held: dict[str, Callable[..., Any]] = {"select": _counted}

    def select(query: Any) -> Any:
        return held["select"](query)

    def _members(query: Any) -> Any:
        return sa.select(Customer.id) if held["select"] is _counted else held["select"](query)

    house = enabled(
        open_installation,
        trellis_kpis=lambda: [Kpi(name="bad.kpi", title=Text("Odd"), select=select, unit=Unit.COUNT)],
        trellis_segments=lambda: [Segment(name="bad.segment", title=Text("Odd"), select=_members)],
    )
    house.write("Petra")
    assert house.client.get("/kpis/bad.kpi").status_code == 200
    for way, wrong in {"raises": crash, "hangs": hang, "nonsense": lambda query: 42}.items():
        held["select"] = wrong
        assert house.client.get("/kpis/revenue").status_code == 200, way
        answer = house.client.get("/kpis/bad.kpi")
        assert (answer.status_code, answer.json["code"]) == (500, "plugin_failed"), way
        listed = {one["kpi"]: one for one in house.client.get("/kpis").json}
        assert listed["bad.kpi"]["value"] is None and "error" not in listed["revenue"], way
        with house.workspace.write() as session:
            done = refresh(session, house.workspace.edition(session))
        assert [(one.plugin, one.hook) for one in done.faults] == [(BAD, "trellis_segments")], way
        assert "gym.members" in done.changes, way
    assert (BAD, "trellis_kpis") in house.faults()


def _endless(query: Any) -> Any:
    """Built at once, and never ended by the database."""
    number = sa.select(sa.literal(1).label("n")).cte("number", recursive=True)
    numbers = number.union_all(sa.select(number.c.n + 1))
    return _counted(query).where(sa.select(sa.func.count()).select_from(numbers).scalar_subquery() > 0)


def test_a_kpi_that_the_database_never_ends_leaves_the_board(
    open_installation: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, Callable[..., Any]] = {"select": _counted}
    bad = Kpi(
        name="bad.kpi",
        title=Text("Odd"),
        select=lambda query: held["select"](query),
        unit=Unit.COUNT,
        cell=Cell(Direction.SALES, Level.TACTICS, "SA5"),
    )
    house = enabled(open_installation, trellis_kpis=lambda: [bad])
    house.write("Petra")
    monkeypatch.setattr(guard, "STATEMENT_SECONDS", 0.5)
    held["select"] = _endless
    page = house.browser.get("/acme/kpis")
    assert page.status_code == 200 and "Odd" in page.text and "Revenue" in page.text
    assert house.client.get("/kpis/bad.kpi").status_code == 500
    assert (BAD, "trellis_kpis") in house.faults()


# --- When records are written ---


def _commits(event: Any) -> None:
    event.session.commit()


def _rolls_back(event: Any) -> None:
    event.session.rollback()


def _opens(event: Any) -> None:
    event.session.begin_nested()


def _swallows(event: Any) -> None:
    with suppress(sa.exc.SQLAlchemyError):
        event.session.execute(sa.text("SELECT * FROM nowhere"))


def _writes_and_hangs(event: Any) -> None:
    event.session.execute(sa.update(Customer).values(city="Half"))
    hang()


@pytest.mark.parametrize("hook", ["trellis_before_save", "trellis_after_save"])
def test_a_write_that_a_plugin_spoils_is_refused_as_a_whole_and_the_next_one_works(
    open_installation: Callable[..., Installation], hook: str, database: str
) -> None:
    house = enabled(open_installation, **{hook: lambda event: None})
    house.write("Petra")
    ways = [crash, hang, _commits, _rolls_back, _opens, _writes_and_hangs]
    for wrong in [*ways, *([_swallows] if database == "postgresql" else [])]:
        house.hooks[hook] = wrong
        before = house.customers()
        answer = house.client.post("/customer", {"name": "Refused"})
        assert (answer.status_code, answer.json["code"]) == (409, "plugin_failed"), wrong
        assert BAD in answer.json["detail"], wrong
        form = house.form("/acme/customer/new", name="Typed", city="Brno")
        assert form.status_code == 409 and 'value="Typed"' in form.text and BAD in form.text, wrong
        with pytest.raises(PluginError), house.workspace.write() as session:
            records = Records(session, house.workspace.edition(session), SYSTEM)
            records.save("customer", [Write(values={"name": f"Refused {n}"}) for n in range(3)])
        house.hooks[hook] = lambda event: None
        assert house.customers() == before, wrong
        house.client.create("customer", name="After")
        assert house.client.get("/customer/1").json["city"] is None, wrong
        with house.workspace.write() as session:
            quarantine.release(session, BAD)
            session.execute(sa.delete(PluginFault))


def test_a_plugin_may_use_savepoints_of_its_own(open_installation: Callable[..., Installation]) -> None:
    def careful(event: Any) -> None:
        with event.session.begin_nested():
            event.session.execute(sa.update(Customer).values(city="Brno"))
        with pytest.raises(sa.exc.IntegrityError), event.session.begin_nested():
            event.session.execute(sa.insert(Customer).values(name=None))

    house = enabled(open_installation, trellis_after_save=lambda event: None)
    house.hooks["trellis_after_save"] = careful
    house.client.create("customer", name="Anna")
    assert house.client.get("/customer/1").json["city"] == "Brno" and house.faults() == {}


def test_what_follows_a_commit_cannot_hurt_it(open_installation: Callable[..., Installation]) -> None:
    house = enabled(open_installation, trellis_after_commit=lambda event: None)
    for wrong in (crash, hang, _rolls_back):
        house.hooks["trellis_after_commit"] = wrong
        assert house.client.create("customer", name="Kept") > 0
    assert house.customers() == 3
    assert (BAD, "trellis_after_commit") in house.faults()


def test_a_process_that_was_forked_calls_with_threads_of_its_own() -> None:
    assert guard.limited(lambda: 1) == 1
    child = os.fork()
    if child == 0:
        os._exit(guard.limited(lambda: 7))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# --- Quarantine ---


def test_repeated_faults_quarantine_a_plugin_in_every_process_until_it_is_released(
    open_installation: Callable[..., Installation],
) -> None:
    house = enabled(
        open_installation,
        trellis_after_commit=lambda event: None,
        trellis_menu=lambda: [
            MenuItem(name="bad.menu", title=Text("Odd"), path="x", direction=trellis.Direction.SALES)
        ],
    )
    other = open_installation(plugins=registry(gym(), house.plugin)).workspace("acme")
    house.hooks["trellis_after_commit"] = crash
    for number in range(quarantine.MOST - 1):
        house.client.create("customer", name=f"C{number}")
    assert house.state() == "enabled"
    house.client.create("customer", name="The last straw")
    assert house.state() == "quarantined"
    for workspace in (house.workspace, other):
        with workspace.read() as session:
            edition = workspace.edition(session)
        assert "bad.menu" not in edition.all(MenuItem) and "gym.members" in edition.all(Segment)
    counted = house.customers()
    house.client.create("customer", name="In peace")
    page = house.browser.get("/acme/settings/plugins").text
    assert "Quarantined" in page and "Release" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    house.hooks["trellis_after_commit"] = lambda event: None
    for _time in range(2):  # releasing twice is told, and harmless
        answer = house.browser.post("/acme/settings/plugins/bad/release", data={"csrf_token": token})
        assert answer.status_code == 302
    assert house.state() == "enabled" and house.customers() == counted + 1
    with other.read() as session:
        assert "bad.menu" in other.edition(session).all(MenuItem)
    with pytest.raises(Conflict):
        enabling.let_out(house.workspace, BAD)


def test_faults_far_apart_do_not_quarantine_and_hanging_counts_more(
    open_installation: Callable[..., Installation],
) -> None:
    house = enabled(open_installation, trellis_after_commit=lambda event: None)
    house.hooks["trellis_after_commit"] = crash
    for number in range(quarantine.MOST + 5):
        house.client.create("customer", name=f"C{number}")
        with house.workspace.write() as session:
            long_ago = datetime.now(UTC) - 2 * quarantine.WINDOW
            session.execute(sa.update(PluginFault).values(recent_since=long_ago))
    assert house.state() == "enabled"
    house.hooks["trellis_after_commit"] = hang
    for number in range(4):
        house.client.create("customer", name=f"H{number}")
    assert house.state() == "quarantined"
