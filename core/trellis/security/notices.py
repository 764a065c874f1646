"""Mail to people about what changed in the way they sign in, so that a stranger's doing does not stay unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis import mail
from trellis.errors import Message
from trellis.i18n import translator

if TYPE_CHECKING:
    from trellis.installation import Installation

_ = translator("trellis")


def tell(installation: Installation, email: str, happened: Message) -> None:
    """Says to somebody what ``happened``. Nobody waits for it, and nothing fails where no mail can be sent."""
    if not mail.may_send(installation.config):
        return
    text = _(
        "%(happened)s.\n\nIt is about signing in as %(email)s at %(url)s.\n\n"
        "If it was not you, choose a new password there at once, and tell an administrator.",
        happened=str(happened),
        email=email,
        url=installation.config.url,
    )
    subject = str(_("Your sign-in has changed"))
    mail.send_soon(installation.config, mail.message(installation.config, email, subject, str(text)))
