"""Numbers of documents by a pattern: ``C-{year}-{number:4}`` gives C-2026-0001, C-2026-0002, and C-2027-0001.

Patterns that are alike share their numbers, whichever template they stand at, so no number is given twice.
"""

from __future__ import annotations

import re
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.circulation.entities import Document
from trellis.errors import Message
from trellis.i18n import translator
from trellis.records.numbering import next_number

_ = translator("trellis")

USUAL = "D-{year}-{number:5}"
LONGEST = 40
_MARK = re.compile(r"\{(?:(year|yy|month)|number(?::([1-9]))?)\}")


def problem_of(pattern: str) -> Message | None:
    """What is wrong with a pattern; None when nothing is."""
    if len(pattern) > LONGEST:
        return _("Text of at most %(most)s characters", most=LONGEST)
    marks = [mark[0] for mark in _MARK.finditer(pattern)]
    if re.search(r"[{}]", _MARK.sub("", pattern)):
        return _("Marks are {year}, {yy}, {month}, {number} and {number:4}")
    if sum(mark.startswith("{number") for mark in marks) != 1:
        return _("Write {number} once, or {number:4} for four digits")
    if "{month}" in marks and not {"{year}", "{yy}"} & set(marks):
        return _("Write {year} beside {month}: numbers begin anew with each month")
    return None


def take(session: Session, pattern: str, day: date) -> str:
    """The next number of a pattern. It is given back when the transaction is; others wait until its end."""
    series = _MARK.sub(lambda mark: _of_day(mark, day), pattern)
    while True:
        counted = next_number(session, f"document:{series}")
        number = _MARK.sub(lambda mark: f"{counted:0{mark[2] or 1}}", series)  # noqa: B023
        if session.scalar(sa.select(Document.id).where(Document.number == number).limit(1)) is None:
            return number


def _of_day(mark: re.Match[str], day: date) -> str:
    known = {"year": f"{day:%Y}", "yy": f"{day:%y}", "month": f"{day:%m}"}
    return known.get(mark[1] or "", mark[0])
