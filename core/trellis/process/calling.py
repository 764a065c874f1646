"""Calls of webhooks by service tasks: a signed message to one of the addresses that administrators keep (:mod:`trellis.webhooks`).

A diagram names a webhook of the settings and no address of its own, so that whoever draws cannot send data anywhere else.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.jobs.work import Work
from trellis.webhooks.delivering import deliver
from trellis.webhooks.webhook import Webhook

if TYPE_CHECKING:
    from trellis.process.operations import OperationCall

_ = translator("trellis")

CALL_JOB = "process_call"
PAUSED = timedelta(hours=1)
"""How long a call waits before it looks again whether its webhook is paused."""


def known(session: Session) -> list[tuple[str, str]]:
    """Number and address of each webhook that can be called."""
    found = session.execute(sa.select(Webhook.id, Webhook.url).order_by(Webhook.id))
    return [(str(number), url) for number, url in found]


def call_webhook(call: OperationCall) -> None:
    """Puts the message into the queue, in the transaction of the step. Raises RecordInvalid for a webhook that is not there."""
    number = call.arguments["webhook"]
    if call.records.session.get(Webhook, number) is None:
        raise RecordInvalid({"webhook": [_("There is no webhook %(number)s", number=number)]})
    message = {
        "instance": call.instance,
        "element": call.element,
        "entity": call.entity,
        "record_id": call.record_id,
        "text": call.arguments["text"] or "",
    }
    key = f"process-{call.instance}-{secrets.token_hex(8)}"
    call.later(CALL_JOB, {"webhook": number, "key": key, "message": message})


def work_call(work: Work) -> None:
    """Sends a message, again under the same number until the address takes it. Raises NotDelivered, Conflict."""
    with work.workspace.read() as session:
        webhook = session.get(Webhook, int(work.arguments["webhook"]))
        if webhook is None:
            raise Conflict(_("The webhook was removed: nobody was called"))
        session.expunge(webhook)  # read here, used while no transaction waits for the address
    if webhook.paused:
        with work.workspace.write() as session:
            work.again(session, datetime.now(UTC) + PAUSED, str(_("The webhook is paused")))
        return
    deliver(work.installation.config, webhook, work.arguments["key"], orjson.dumps(work.arguments["message"]))
