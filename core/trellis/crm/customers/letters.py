"""The mail that invites to a survey, and the link in it (CU6).

A link holds the workspace and a secret, signed, so that what was never given out is refused before any database is asked.
The workspace keeps only the digest of the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from trellis import mail
from trellis.config import Config
from trellis.crm.customers import unsubscribing
from trellis.crm.customers.questions import QUESTIONS, words
from trellis.crm.customers.unsubscribing import Way
from trellis.i18n import format_date, translator, use_locale
from trellis.security.links import opened, signed

_ = translator("trellis")

PATH = "s"
"""The first part of the address of an answer page."""
_PURPOSE = "survey"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An invitation on its way, with what its mail says. ``survey`` are the fields of the survey, ``number`` is the customer."""

    id: int
    number: int
    email: str
    language: str
    customer: str
    is_person: bool
    secret: str
    lasts_until: datetime
    survey: Mapping[str, Any]


def link_of(config: Config, workspace: str, secret: str) -> str:
    """The address of the answer page for whoever has this secret."""
    return f"{config.url.rstrip('/')}/{PATH}/{signed(config, _PURPOSE, workspace, secret)}"


def read_link(config: Config, link: str) -> tuple[str, str] | None:
    """The workspace and the secret in the last part of an address; None for what was never given out here."""
    found = opened(config, _PURPOSE, link)
    return (str(found[0]), str(found[1])) if found is not None and len(found) == 2 else None


def message_of(config: Config, workspace: str, company: str, letter: Letter) -> EmailMessage:
    """The mail of an invitation, in its language."""
    with use_locale(letter.language):
        said = words(letter.survey, letter.language)
        hello = _("Hello, %(name)s.", name=letter.customer) if letter.is_person else _("Hello.")
        text = _(
            "%(hello)s\n\n%(intro)s\n\n%(question)s\n%(link)s\n\n"
            "Until %(day)s this link is open for you alone, and for one answer.\n\n%(company)s",
            hello=str(hello),
            intro=said["intro"],
            question=said[QUESTIONS[letter.survey["kind"]][0].field],
            link=link_of(config, workspace, letter.secret),
            day=format_date(letter.lasts_until),
            company=company,
        )
        subject = " ".join(str(_("%(company)s asks for your opinion", company=company)).split())
        way = Way(workspace, letter.number, "survey", letter.survey["id"])
        out = unsubscribing.link_of(config, way)
        below = unsubscribing.footer(letter.language, company, out)
        return mail.message(config, letter.email, subject, f"{text}{below}", out)
