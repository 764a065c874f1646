"""A workspace with some of everything, its pages, and people who open them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from samples import gym, registry
from trellis import enabling
from trellis.config import Config
from trellis.crm.analytics.refreshing import refresh
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.testing.templates import Prepare
from trellis.web.app import create_app
from trellis.workspace import Workspace

PASSWORD = "a long password"
PEOPLE = {"admin@acme.test": "administrator", "agent@acme.test": "agent", "reader@acme.test": "reader"}


def fill(workspace: Workspace) -> None:
    """Customers, orders, opportunities, tasks and a membership."""
    now = datetime.now(UTC)
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        customers = records.save(
            "customer",
            [
                Write(
                    values={
                        "name": f"Customer {n:02}",
                        "city": "Brno" if n % 2 else "Wien",
                        "gym.card": f"G{n}",
                    }
                )
                for n in range(30)
            ],
        )
        orders = [
            {
                "number": f"N{n}",
                "customer": customers[n % 30],
                "ordered_at": now - timedelta(days=n * 3),
                "amount": 10 + n,
            }
            for n in range(60)
        ]
        records.save("order", [Write(values=order) for order in orders])
        deals = [
            {"name": f"Deal {n}", "customer": customers[n], "amount": 1000 * n, "owner": 1}
            for n in range(1, 9)
        ]
        records.save("opportunity", [Write(values=deal) for deal in deals])
        tasks = [
            {"subject": f"Call {n}", "due_at": now, "customer": customers[n], "owner": 1} for n in range(3)
        ]
        records.save("activity", [Write(values=task) for task in tasks])
        records.create("gym.membership", {"name": "Gold", "customer": customers[0]})
    with workspace.write() as session:
        refresh(session, workspace.edition(session))


def furnish(config: Config) -> None:
    """The sample plugin enabled, people who may sign in, and records."""
    installation = Installation(config, registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    for email, role in PEOPLE.items():
        add_user(installation, workspace, email, email.partition("@")[0].title(), [role], PASSWORD)
    fill(workspace)
    installation.close()


@pytest.fixture
def prepare() -> Prepare | None:
    return furnish


@pytest.fixture
def installation(open_installation: Callable[..., Installation]) -> Installation:
    """The installation as another process of the server sees it."""
    return open_installation(plugins=registry(gym()))


@pytest.fixture
def drain(installation: Installation) -> Callable[[], int]:
    """Does the jobs that are due; how many there were."""
    return Runner(installation, JOB_KINDS).drain


@pytest.fixture
def app(open_installation: Callable[..., Installation]) -> Flask:
    return create_app(open_installation(plugins=registry(gym())))


def token_of(page: str) -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], FlaskClient]:
    """A browser in which somebody has signed in."""

    def sign_in_(email: str) -> FlaskClient:
        client = app.test_client()
        form = {"csrf_token": token_of(client.get("/acme/login").text), "email": email, "password": PASSWORD}
        answer = client.post("/acme/login", data=form)
        assert answer.status_code == 303, answer.text
        return client

    return sign_in_
