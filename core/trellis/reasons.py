"""Why a customer was not written to, or is not yet: as it is kept, and what people read for it.

What else is kept as a reason is a text itself: the words of a mail server.
"""

from __future__ import annotations

from collections.abc import Mapping

from trellis.i18n import Text, translator

_ = translator("trellis")

NO_ADDRESS, REFUSED, NOT_GRANTED, LIMIT = "no_address", "refused", "not_granted", "limit"
NO_SERVER, NO_TEMPLATE, MAY_HAVE_LEFT = "no_server", "no_template", "may_have_left"
QUIET = "quiet"
"""Why a message waits; the others are why it is left out."""
REASONS: Mapping[str, Text] = {
    NO_ADDRESS: _("No mail address"),
    REFUSED: _("Refused consent"),
    NOT_GRANTED: _("Consent was not granted"),
    LIMIT: _("Got enough messages of late"),
    NO_SERVER: _("No mail server is set up, or this server does not know its own address (TRELLIS_URL)"),
    NO_TEMPLATE: _("The template is not there any more"),
    MAY_HAVE_LEFT: _("The server ended while it was being sent; it may have left, and is not sent again"),
    QUIET: _("Waits for the end of quiet hours"),
    "nobody": _("Nobody to give it to"),
    "customer_gone": _("The customer is in the bin"),
    "journey_stopped": _("The journey was stopped"),
    "taken_out": _("Taken out by hand"),
}
"""Reasons as they are kept, and in words."""


def worded(kept: str) -> str:
    """A reason in words."""
    return str(REASONS.get(kept, kept))
