"""The mails that consultants and sellers write again and again."""

from __future__ import annotations

from pathlib import Path

import trellis

from trellis_b2b.model import FUNNEL, RELATIONS

_ = trellis.translator("trellis_b2b")

_FOLDER = Path(__file__).parent / "documents"

TEMPLATE_LIST = [
    trellis.Template(
        name=f"b2b.follow_up_mail_{language}",
        title=title,
        cell=FUNNEL,
        entity="opportunity",
        file=_FOLDER / f"follow_up_mail.{language}.txt",
        language=language,
        subject=subject,
    )
    for language, title, subject in (
        ("en", _("Mail after a talk, English"), "Our talk about {record.name}"),
        ("ru", _("Mail after a talk, Russian"), "Наш разговор о проекте «{record.name}»"),
    )
]

TEMPLATE_LIST += [
    trellis.Template(
        name=f"b2b.renewal_mail_{language}",
        title=title,
        cell=RELATIONS,
        entity="customer",
        file=_FOLDER / f"renewal_mail.{language}.txt",
        language=language,
        subject=subject,
    )
    for language, title, subject in (
        ("en", _("Mail before a renewal, English"), "Our contract: the next year"),
        ("ru", _("Mail before a renewal, Russian"), "Наш договор: следующий год"),
    )
]
