"""Lifetime value by formula: margin, retention and discount of a period, all alike for each customer.

Source: Gupta & Lehmann, "Customers as Assets", J. Interactive Marketing 17(1), 2003, and "Managing Customers as
Investments", 2005. Several forms are in use; each is given under its name, and none where it would not converge.
"""

from __future__ import annotations

from dataclasses import dataclass

from trellis.errors import TrellisError
from trellis.i18n import translator

_ = translator("trellis")


class DoesNotConverge(TrellisError):
    """Margins kept and grown outrun the discount: their sum has no end."""

    code = "does_not_converge"
    title = _(
        "With this retention, growth and discount the value grows without end; give a number of years, or a higher discount"
    )


@dataclass(frozen=True, kw_only=True)
class Formula:
    """What goes in, per period: ``margin`` of one customer, ``retention``, ``discount``, ``growth`` of the margin.

    ``acquisition`` is the cost of winning the customer, ``periods`` a finite horizon.
    """

    margin: float
    retention: float
    discount: float
    growth: float = 0.0
    periods: int | None = None
    acquisition: float = 0.0

    @property
    def lifetime(self) -> float | None:
        """The mean lifetime in periods, 1 / (1 - r); None when nobody leaves."""
        return 1 / (1 - self.retention) if self.retention < 1 else None

    @property
    def simple(self) -> float | None:
        """Margin of a period times the mean lifetime, without discount."""
        return None if self.lifetime is None else self.margin * self.lifetime

    def following(self) -> float:
        """Without the margin of the present period. Raises DoesNotConverge."""
        kept = self.retention * (1 + self.growth)
        if self.periods is not None:
            step = kept / (1 + self.discount)
            first = self.margin * self.retention / (1 + self.discount)
            return first * sum(step**index for index in range(self.periods))
        if kept >= 1 + self.discount:
            raise DoesNotConverge()
        return self.margin * self.retention / (1 + self.discount - kept)

    def including(self) -> float:
        """With the margin of the present period. Raises DoesNotConverge."""
        return self.margin + self.following()

    def net(self) -> float:
        """With the present period, less the cost of acquisition. Raises DoesNotConverge."""
        return self.including() - self.acquisition


def kept_revenue(customers: int, value: float, retention: float, periods: int) -> float:
    """Revenue over ``periods`` periods of customers of whom the part ``retention`` stays from each to the next."""
    return customers * value * sum(retention**index for index in range(periods))
