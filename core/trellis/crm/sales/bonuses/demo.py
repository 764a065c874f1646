"""Bonuses of a demo: a scheme of the edition in use, some months of it closed."""

from __future__ import annotations

from collections.abc import Sequence

from trellis.contributions import BonusScheme
from trellis.crm.sales.bonuses import running
from trellis.records.door import Records


def reckon(records: Records, scheme: str, periods: Sequence[str]) -> None:
    """Adopts a scheme and reckons it in these periods; all but the last are closed."""
    made = running.adopt(records, records.edition.all(BonusScheme)[scheme])
    for period in periods[:-1]:
        running.close(records, running.calculate(records, made, period).id)
    running.calculate(records, made, periods[-1])
