"""Failed sign-ins, counted in the control database, so that all server processes count together.

An attempt is counted before its password is looked at and taken back when it was right: a hundred at once are a hundred.
After some failures each further attempt is refused for a while that doubles, alike for addresses that nobody has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trellis.control import FailedSignIns
from trellis.errors import TooMany
from trellis.i18n import plural_translator

if TYPE_CHECKING:
    from trellis.installation import Installation

_n = plural_translator("trellis")

FORGOTTEN = timedelta(hours=24)
"""A count without a further failure ends after this long."""


@dataclass(frozen=True)
class Limit:
    """``free`` attempts may fail; then each is followed by a wait, of ``first`` at first, doubled up to ``longest``."""

    free: int
    first: timedelta
    longest: timedelta

    def wait(self, count: int) -> timedelta | None:
        """How long nothing is accepted after the failure number ``count``."""
        if count < self.free:
            return None
        return min(self.longest, self.first * (1 << min(count - self.free, 20)))


OF_PERSON = Limit(5, timedelta(seconds=30), timedelta(minutes=30))
OF_ADDRESS = Limit(50, timedelta(seconds=30), timedelta(minutes=30))
"""One network address may be a whole office."""


def begin(installation: Installation, email: str, address: str) -> None:
    """Counts an attempt. Raises TooMany, and counts nothing, while the mail or the network address is refused."""
    now = datetime.now(UTC)
    with installation.control.write() as session:
        found = [(_row(session, key, now), limit) for key, limit in _keys(email, address)]
        refused = [
            row.refused_until for row, _limit in found if row.refused_until and row.refused_until > now
        ]
        if not refused:
            for row, limit in found:
                row.count = row.count + 1 if now - row.last_at < FORGOTTEN else 1
                row.last_at = now
                wait = limit.wait(row.count)
                row.refused_until = now + wait if wait is not None else None
    if refused:
        raise _too_many(max(refused) - now)


def succeeded(installation: Installation, email: str, address: str) -> None:
    """Takes an attempt back: all failures of the mail address are forgiven, one of the network address."""
    now = datetime.now(UTC)
    with installation.control.write() as session:
        session.execute(sa.delete(FailedSignIns).where(FailedSignIns.key == _key("person", email)))
        for key, limit in _keys("", address):
            row = _row(session, key, now)
            row.count = max(0, row.count - 1)
            if row.count < limit.free:
                row.refused_until = None
    _forget(installation, now - FORGOTTEN)


def unlock(installation: Installation, email: str, *, whole: bool = True) -> None:
    """Forgives all failures of a mail address; unless ``whole``, those of the password alone."""
    named = (email, second_step(email)) if whole else (email,)
    keys = [_key("person", name) for name in named]
    with installation.control.write() as session:
        session.execute(sa.delete(FailedSignIns).where(FailedSignIns.key.in_(keys)))


def second_step(email: str) -> str:
    """What the attempts at the second factor of a mail address count for: a right password does not forgive them."""
    return f"second factor {email}"


def refused(installation: Installation, emails: Iterable[str]) -> dict[str, datetime]:
    """Those of ``emails`` that cannot sign in now, and until when."""
    keys = {_key("person", name): email for email in emails for name in (email, second_step(email))}
    query = sa.select(FailedSignIns.key, FailedSignIns.refused_until).where(
        FailedSignIns.key.in_(keys), FailedSignIns.refused_until > datetime.now(UTC)
    )
    with installation.control.read() as session:
        found = session.execute(query.order_by(FailedSignIns.refused_until))
        return {keys[key]: until for key, until in found if until is not None}


def _forget(installation: Installation, before: datetime) -> None:
    """Deletes counts that have ended, except those at work: two that wait for each other would fail."""
    old = sa.select(FailedSignIns.key).where(FailedSignIns.last_at < before).with_for_update(skip_locked=True)
    with installation.control.write() as session:
        session.execute(
            sa.delete(FailedSignIns).where(FailedSignIns.key.in_(old)),
            execution_options={"synchronize_session": False},
        )


def _keys(email: str, address: str) -> list[tuple[str, Limit]]:
    """What an attempt counts for; always in this order, so that two at once do not wait for each other."""
    keys = [(_key("person", email), OF_PERSON)] if email else []
    return [*keys, (_key("address", address), OF_ADDRESS)] if address else keys


def _key(kind: str, value: str) -> str:
    text = f"{kind} {value.strip().lower()}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _row(session: Session, key: str, now: datetime) -> FailedSignIns:
    """The count of a key, made if there is none; nobody else has it until the transaction ends."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(cast(sa.Table, FailedSignIns.__table__))
        .values(key=key, count=0, last_at=now)
        .on_conflict_do_update(index_elements=["key"], set_={"key": key})
    )
    return session.get_one(FailedSignIns, key)


def _too_many(wait: timedelta) -> TooMany:
    seconds = int(wait.total_seconds()) + 1
    if seconds < 90:
        text = _n(
            "Too many attempts. Try again in %(num)s second",
            "Too many attempts. Try again in %(num)s seconds",
            seconds,
        )
    else:
        text = _n(
            "Too many attempts. Try again in %(num)s minute",
            "Too many attempts. Try again in %(num)s minutes",
            -(-seconds // 60),
        )
    return TooMany(seconds, text)
