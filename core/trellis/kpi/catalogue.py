"""Finding a KPI of an edition by its name."""

from __future__ import annotations

from difflib import get_close_matches

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator

_ = translator("trellis")


class KpiNotFound(TrellisError):
    """The edition has no KPI of this name."""

    status = 404
    code = "kpi_not_found"

    def __init__(self, name: str, known: list[str]) -> None:
        close = get_close_matches(name, known, 1, 0.5)
        if close:
            text = _(
                "There is no KPI “%(name)s” in this edition; did you mean “%(close)s”?",
                name=name[:80],
                close=close[0],
            )
        else:
            text = _(
                "There is no KPI “%(name)s” in this edition; there are: %(known)s",
                name=name[:80],
                known=", ".join(known),
            )
        super().__init__(text)


def find(edition: Edition, name: str) -> Kpi:
    """The KPI of that name, or :class:`KpiNotFound`."""
    kpis = edition.all(Kpi)
    if name not in kpis:
        raise KpiNotFound(name, sorted(kpis))
    return kpis[name]
