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

from itsdangerous import BadData, URLSafeSerializer

from trellis import mail
from trellis.config import Config
from trellis.crm.customers.questions import QUESTIONS, words
from trellis.i18n import format_date, translator, use_locale
from trellis.security.keys import secret_key

_ = translator("trellis")

PATH = "s"
"""The first part of the address of an answer page."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An invitation on its way, with what its mail says. ``survey`` are the fields of the survey."""

    id: int
    email: str
    language: str
    customer: str
    is_person: bool
    secret: str
    lasts_until: datetime
    survey: Mapping[str, Any]


def link_of(config: Config, workspace: str, secret: str) -> str:
    """The address of the answer page for whoever has this secret."""
    return f"{config.url.rstrip('/')}/{PATH}/{_signer(config).dumps([workspace, secret])}"


def read_link(config: Config, link: str) -> tuple[str, str] | None:
    """The workspace and the secret in the last part of an address; None for what was never given out here."""
    try:
        workspace, secret = _signer(config).loads(link)
    except (BadData, ValueError, TypeError):
        return None
    return str(workspace), str(secret)


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
        return mail.message(config, letter.email, subject, str(text))


def _signer(config: Config) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key(config), salt="trellis survey")
