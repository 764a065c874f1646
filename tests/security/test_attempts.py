"""Failed sign-ins: counted by all processes together, refused for a while that grows, told alike of known and unknown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from trellis.control import FailedSignIns
from trellis.errors import TooMany
from trellis.installation import Installation
from trellis.security import attempts
from trellis.security.identities import add_user, authenticate
from trellis.security.rates import Rates
from trellis.workspace import Workspace

PASSWORD = "a long password"
HERE = "192.0.2.1"


def fail(installation: Installation, times: int, email: str = "anna@acme.test", address: str = HERE) -> None:
    for _number in range(times):
        attempts.begin(installation, email, address)


def later(installation: Installation, seconds: float) -> None:
    """As if so much time had passed."""
    moved = timedelta(seconds=seconds)
    with installation.control.write() as session:
        for row in session.scalars(sa.select(FailedSignIns)):
            row.last_at -= moved
            row.refused_until = row.refused_until and row.refused_until - moved


def wait_of(installation: Installation, email: str = "anna@acme.test", address: str = HERE) -> int:
    with pytest.raises(TooMany) as refused:
        attempts.begin(installation, email, address)
    return refused.value.seconds


def test_the_wait_doubles_and_ends(installation: Installation) -> None:
    fail(installation, 5)
    assert 28 <= wait_of(installation, address="192.0.2.9") <= 31  # wherever the next attempt comes from
    attempts.begin(installation, "boris@acme.test", HERE)  # others are not held up
    later(installation, 31)
    fail(installation, 1)
    assert 58 <= wait_of(installation) <= 61
    for _number in range(10):
        later(installation, 1801)
        fail(installation, 1)
    assert 1798 <= wait_of(installation) <= 1801
    later(installation, 25 * 3600)
    fail(installation, 4)


def test_one_network_address_that_tries_many_names_is_held_up(installation: Installation) -> None:
    for number in range(50):
        attempts.begin(installation, f"person{number}@acme.test", HERE)
    assert wait_of(installation, "boris@acme.test") > 0
    attempts.begin(installation, "boris@acme.test", "192.0.2.2")


def test_known_and_unknown_are_refused_alike_and_by_every_process(
    open_installation: Callable[..., Installation],
) -> None:
    first, second = open_installation(), open_installation()
    add_user(first, first.workspace("acme"), "anna@acme.test", "Anna", ["agent"], PASSWORD)
    answers = []
    for email in ("anna@acme.test", "nobody@acme.test"):
        for number in range(5):
            assert authenticate((first, second)[number % 2], "acme", email, "wrong password", HERE) is None
        with pytest.raises(TooMany) as refused:  # the right password too
            authenticate(second, "acme", email, PASSWORD, HERE)
        answers.append(str(refused.value.detail))
    assert len({text.rstrip("s0123456789 ").split(" in ")[0] for text in answers}) == 1
    assert set(attempts.refused(first, ["anna@acme.test", "boris@acme.test"])) == {"anna@acme.test"}
    attempts.unlock(first, "Anna@acme.test")
    assert authenticate(second, "acme", "anna@acme.test", PASSWORD, HERE) is not None


def test_a_right_password_forgives(installation: Installation, workspace: Workspace) -> None:
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    for _round in range(3):
        fail(installation, 4)
        assert authenticate(installation, "acme", "anna@acme.test", PASSWORD, HERE) is not None
    with installation.control.read() as session:
        (left,) = session.scalars(sa.select(FailedSignIns))  # those from the network address stay
        assert (left.count, left.refused_until) == (12, None)


def test_a_hundred_attempts_at_once_are_all_counted(installation: Installation) -> None:
    def attempt(_number: int) -> bool:
        try:
            attempts.begin(installation, "anna@acme.test", HERE)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 5


def test_a_caller_has_so_many_calls_and_gets_new_ones_with_time() -> None:
    now = [0.0]
    rates = Rates(60, clock=lambda: now[0])
    for _number in range(15):
        rates.take("anna")
    with pytest.raises(TooMany) as refused:
        rates.take("anna")
    assert refused.value.seconds >= 1
    rates.take("boris")
    now[0] += refused.value.seconds
    rates.take("anna")
    unlimited = Rates(0, clock=lambda: now[0])
    for _number in range(1000):
        unlimited.take("anna")
