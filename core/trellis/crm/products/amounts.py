"""Amounts that are multiplied: exact until they are rounded, and refused where no field of money holds them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, localcontext
from decimal import Decimal as Number
from math import prod

from trellis.errors import RecordInvalid
from trellis.records.types import SCALE, Money, ValueInvalid

_DIGITS = 80
"""More than three factors of a field have together, so that nothing is rounded before the end."""


def sum_of(*terms: Sequence[Number], digits: int = SCALE) -> Number:
    """What products come to together, rounded once, half up, to ``digits`` after the point.

    Raises RecordInvalid on the quantity where it is too large for a field.
    """
    with localcontext(prec=_DIGITS):
        total = sum((prod(term, start=Number(1)) for term in terms), Number(0))
        total = total.quantize(Number(1).scaleb(-digits), ROUND_HALF_UP)
    try:
        checked: Number = Money().check(total)
    except ValueInvalid as error:
        raise RecordInvalid({"quantity": [error.message]}) from None
    return checked
