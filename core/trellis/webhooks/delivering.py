"""The job that sends events to one address, in order, each at least once.

It lives as long as its webhook: when there is nothing to send it sleeps until a write wakes it. An address that fails is
tried again, later each time; what it missed is sent when it is back, and after :data:`GIVEN_UP` it is paused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.orm import Session

from trellis.config import Config
from trellis.i18n import translator
from trellis.jobs import Work
from trellis.records.feed import Feed, newest
from trellis.security.keys import Unreadable, unseal
from trellis.webhooks.sending import NotDelivered, send
from trellis.webhooks.waking import KIND, wake
from trellis.webhooks.webhook import Webhook

__all__ = ["KIND", "work"]

_ = translator("trellis")

AT_ONCE = 100
"""Events in one message."""
PAUSE = timedelta(minutes=1)
"""How long a job sleeps that nobody wakes."""
SOON = timedelta(seconds=1)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=3)
GIVEN_UP = timedelta(days=3)


def work(work: Work) -> None:
    """Sends what there is, and goes to sleep. A webhook that is gone or paused has no job any more."""
    number = int(work.arguments["webhook"])
    while True:
        with work.workspace.read() as session:
            webhook = session.get(Webhook, number)
            if webhook is None or webhook.paused:
                return
            items, reached = _next(work, session, webhook)
            session.expunge(webhook)  # read here, used while no transaction waits for the address
        problem = ""
        try:
            if items:
                _post(work.installation.config, webhook, items, reached)
        except NotDelivered as error:
            problem = str(error)
        with work.workspace.write() as session:
            if problem:
                _put_off(work, session, number, problem)
                return
            if items or reached != webhook.after:
                _note(session, number, items, reached)
            if not items:
                rest = SOON if newest(session) != reached else PAUSE
                work.again(session, datetime.now(UTC) + rest)
        if not items:
            if rest is PAUSE:
                _look_back(work, reached)
            return
        work.tell(0, 0)


def _look_back(work: Work, reached: int) -> None:
    """Wakes the job again for what was written while it went to sleep: who wrote that found nobody asleep."""
    with work.workspace.read() as session:
        missed = newest(session) != reached
    if missed:
        wake(work.workspace)


def _next(work: Work, session: Session, webhook: Webhook) -> tuple[list[dict[str, Any]], int]:
    """The next events for an address, and how far it has come with them."""
    edition = work.actor.sees(work.workspace.edition(session))
    feed = Feed(session, work.workspace.namespace, edition, work.actor)
    end = feed.end()
    known = [name for name in webhook.entities if name in edition.entities]
    if webhook.entities and not known:
        return [], end
    items = feed.page(webhook.after, AT_ONCE, known)
    return items, items[-1]["id"] if items else end


def try_out(config: Config, webhook: Webhook) -> None:
    """Sends a message without events. Raises NotDelivered."""
    _post(config, webhook, [], webhook.after)


def _post(config: Config, webhook: Webhook, items: list[dict[str, Any]], last: int) -> None:
    """Sends events as the change feed writes them. Raises NotDelivered."""
    body = orjson.dumps({"items": items, "next": str(last)}, option=orjson.OPT_UTC_Z)
    deliver(config, webhook, f"{webhook.id}-{webhook.after}-{last}", body)


def deliver(config: Config, webhook: Webhook, number: str, body: bytes) -> None:
    """Sends one message under a number, by which an address knows one that it has had. Raises NotDelivered."""
    try:
        secret = unseal(config, webhook.secret)
    except Unreadable:
        raise NotDelivered(_("The secret is of another installation: make a new one")) from None
    send(webhook.url, secret, number, body, inside=config.webhooks_inside)


def _note(session: Session, number: int, items: list[dict[str, Any]], reached: int) -> None:
    webhook = session.get(Webhook, number)
    if webhook is None:  # removed meanwhile
        return
    webhook.after = reached
    if items:
        webhook.delivered += len(items)
        webhook.delivered_at = datetime.now(UTC)
        webhook.failures, webhook.failing_since, webhook.problem = 0, None, ""


def _put_off(work: Work, session: Session, number: int, problem: str) -> None:
    """Tries again later, or pauses what has failed for long."""
    webhook, now = session.get(Webhook, number), datetime.now(UTC)
    if webhook is None:
        return
    webhook.failing_since = webhook.failing_since or now
    webhook.problem = problem
    if now - webhook.failing_since > GIVEN_UP:
        webhook.paused = True
        return
    wait = min(FIRST_WAIT * 2**webhook.failures, LONGEST_WAIT)
    webhook.failures += 1
    work.again(session, now + wait, problem)
