"""Channels, mappings of files, and data for a demo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.contributions.base import Contribution

if TYPE_CHECKING:
    from trellis.demo import DemoContext


@dataclass(frozen=True, kw_only=True)
class Channel(Contribution):
    """A channel of communication or sales (mail, phone, branch, shop)."""

    kind: str = "sales"


@dataclass(frozen=True, kw_only=True)
class ImportMapping(Contribution):
    """How a known file becomes records: ``trellis import W ENTITY FILE --map NAME``.

    ``columns`` maps a field of ``entity`` to a column of the file, or to an expression over the row that starts with
    ``=``; a reference holds the external id of its record. Rows for which the expression ``skip`` is true are left out.
    Rows that share their ``key`` are one record, and the last of them counts; with ``create_only`` the first does, and
    what is there already stays as it is: for files that repeat the customer on each line of a receipt. ``delimiter`` is
    a character or ``whitespace``; ``header`` names the columns of a file that has none. ``decimal`` (``.`` or ``,``) and
    ``dates`` (``day_first`` or ``month_first``) say how it writes numbers and days, where its columns do not show it.
    """

    entity: str
    columns: Mapping[str, str]
    key: str = "external_id"
    skip: str = ""
    create_only: bool = False
    delimiter: str | None = None
    header: Sequence[str] | None = None
    decimal: str | None = None
    dates: str | None = None


@dataclass(frozen=True, kw_only=True)
class Demo(Contribution):
    """Realistic records for trying an edition. ``load(context)`` writes them through the door; the same each time.

    Where ``workspace`` names one, ``trellis demo`` makes it for the ``company``, with its currency and time zone.
    """

    load: Callable[[DemoContext], None]
    workspace: str = ""
    company: str = ""
    currency: str = "EUR"
    timezone: str = "UTC"
