"""The browsers in which people have signed in: listed for their owner, who can end each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.control import BrowserSession

if TYPE_CHECKING:
    from trellis.installation import Installation

LIFETIME = timedelta(days=14)
TOUCH_AFTER = timedelta(minutes=10)
FRESH = timedelta(minutes=15)
"""For so long after somebody showed who they are, they may change how they sign in."""
_LONGEST = 200
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "YaBrowser": "Yandex",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def begin(installation: Installation, identity_id: int, device: str, address: str) -> int:
    """Notes that somebody has signed in, and returns the number of the session. Those that have ended are forgotten."""
    now = datetime.now(UTC)
    with installation.control.write() as session:
        session.execute(sa.delete(BrowserSession).where(BrowserSession.began_at < now - LIFETIME))
        made = BrowserSession(
            identity_id=identity_id,
            device=device[:_LONGEST],
            address=address[:_LONGEST],
            began_at=now,
            last_used_at=now,
            proved_at=now,
        )
        session.add(made)
        session.flush()
        return made.id


def touch(installation: Installation, session_id: int, address: str) -> None:
    """Notes that a session was used."""
    changed = {"last_used_at": datetime.now(UTC), "address": address[:_LONGEST]}
    with installation.control.write() as session:
        session.execute(sa.update(BrowserSession).where(BrowserSession.id == session_id).values(changed))


def prove(installation: Installation, session_id: int) -> None:
    """Notes that the person behind a session has just shown who they are."""
    changed = {"proved_at": datetime.now(UTC)}
    with installation.control.write() as session:
        session.execute(sa.update(BrowserSession).where(BrowserSession.id == session_id).values(changed))


def sessions_of(installation: Installation, identity_id: int) -> Sequence[BrowserSession]:
    """The sessions of somebody that go on, the last used first."""
    query = sa.select(BrowserSession).where(
        BrowserSession.identity_id == identity_id, BrowserSession.began_at > datetime.now(UTC) - LIFETIME
    )
    with installation.control.read() as session:
        found = session.scalars(query.order_by(BrowserSession.last_used_at.desc(), BrowserSession.id)).all()
        session.expunge_all()
        return found


def end(installation: Installation, identity_id: int, session_id: int) -> None:
    """Ends one session of somebody; nobody else's."""
    _delete(installation, BrowserSession.identity_id == identity_id, BrowserSession.id == session_id)


def end_others(installation: Installation, identity_id: int, session_id: int) -> None:
    """Ends all sessions of somebody but one."""
    _delete(installation, BrowserSession.identity_id == identity_id, BrowserSession.id != session_id)


def _delete(installation: Installation, *conditions: sa.ColumnElement[bool]) -> None:
    with installation.control.write() as session:
        session.execute(sa.delete(BrowserSession).where(*conditions))


def device_name(agent: str) -> str:
    """“Firefox, Linux” from what a browser says of itself; the first words of it where it is none of the known."""
    browser = next((name for mark, name in _BROWSERS.items() if re.search(rf"\b{mark}/", agent)), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return ", ".join(one for one in (browser, system) if one) or agent[:40]
