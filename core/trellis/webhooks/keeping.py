"""Webhooks as administrators keep them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.config import Config
from trellis.edition import Edition
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.jobs import enqueue, queue
from trellis.records import setup
from trellis.records.feed import newest
from trellis.security.actor import Actor
from trellis.security.keys import seal
from trellis.webhooks.sending import check_url, make_secret
from trellis.webhooks.waking import KIND
from trellis.webhooks.webhook import Webhook
from trellis.workspace_state import raise_revision

_ = translator("trellis")

MOST = 50


def followed(session: Session) -> bool:
    """Whether somebody is told of what is written here."""
    return session.scalar(sa.select(Webhook.id).limit(1)) is not None


def listed(session: Session, actor: Actor) -> Sequence[Webhook]:
    """All webhooks. Raises PermissionRefused unless for an administrator."""
    actor.require_administrator()
    return session.scalars(sa.select(Webhook).order_by(Webhook.id)).all()


def find(session: Session, actor: Actor, number: int) -> Webhook:
    """One webhook. Raises RecordNotFound, PermissionRefused."""
    actor.require_administrator()
    webhook = session.get(Webhook, number)
    if webhook is None:
        raise RecordNotFound()
    return webhook


def add(
    config: Config, session: Session, edition: Edition, actor: Actor, url: str, entities: Sequence[str]
) -> tuple[Webhook, str]:
    """A new webhook, told of what is written from now on, and its secret, which is shown once. Raises RecordInvalid."""
    actor.require_administrator()
    check_url(url, inside=config.webhooks_inside)
    unknown = [name for name in entities if name not in edition.entities]
    if unknown:
        raise RecordInvalid({"entities": [_("There is no entity “%(entity)s”", entity=unknown[0])]})
    if actor.user_id is None:
        raise RecordInvalid({"user": [_("A webhook acts with the rights of a user")]})
    if (session.scalar(sa.select(sa.func.count()).select_from(Webhook)) or 0) >= MOST:
        raise RecordInvalid({"url": [_("There can be %(num)s webhooks at most", num=MOST)]})
    secret = make_secret()
    webhook = Webhook(
        url=url,
        entities=list(entities),
        user_id=actor.user_id,
        secret=seal(config, secret),
        after=newest(session),
        created_at=datetime.now(UTC),
    )
    session.add(webhook)
    session.flush()
    setup.note(session, actor, setup.WEBHOOK, None, _about(webhook))
    _deliver(session, webhook)
    raise_revision(session.connection())
    return webhook, secret


def new_secret(config: Config, session: Session, actor: Actor, number: int) -> str:
    """Another secret in place of the one there is; it is shown once."""
    webhook = find(session, actor, number)
    secret = make_secret()
    webhook.secret = seal(config, secret)
    about = _about(webhook)
    setup.note(session, actor, setup.WEBHOOK, about, {**about, "secret": "renewed"})
    return secret


def pause(session: Session, actor: Actor, number: int) -> None:
    """Tells an address nothing more, until :func:`resume`."""
    webhook = find(session, actor, number)
    before, webhook.paused = _about(webhook), True
    setup.note(session, actor, setup.WEBHOOK, before, _about(webhook))
    queue.drop(session, KIND, {"webhook": number})


def resume(session: Session, actor: Actor, number: int) -> None:
    """Goes on where it stopped, and tries at once what failed before."""
    webhook = find(session, actor, number)
    before = _about(webhook)
    webhook.paused, webhook.failures, webhook.failing_since, webhook.problem = False, 0, None, ""
    setup.note(session, actor, setup.WEBHOOK, before, _about(webhook))
    queue.drop(session, KIND, {"webhook": number})
    _deliver(session, webhook)


def remove(session: Session, actor: Actor, number: int) -> None:
    """Forgets a webhook."""
    webhook = find(session, actor, number)
    setup.note(session, actor, setup.WEBHOOK, _about(webhook), None)
    session.delete(webhook)
    queue.drop(session, KIND, {"webhook": number})
    session.flush()
    raise_revision(session.connection())


def _about(webhook: Webhook) -> dict[str, Any]:
    """A webhook as the log has it: of its address the server alone, since the rest may hold a key."""
    return {
        "title": urlsplit(webhook.url).hostname,
        "user": webhook.user_id,
        "entities": list(webhook.entities),
        "paused": webhook.paused or False,
    }


def _deliver(session: Session, webhook: Webhook) -> None:
    enqueue(session, KIND, {"webhook": webhook.id}, webhook.user_id, asked=False)
