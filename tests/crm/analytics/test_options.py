"""Options of the analytics say what is wrong with them."""

from __future__ import annotations

import pytest
from trellis.crm.analytics.answers import ANALYTICS
from trellis.crm.analytics.options import OptionInvalid, number, whole
from trellis.i18n import Text


def test_an_option_is_read_or_refused_by_its_name() -> None:
    rfm = ANALYTICS["rfm"]
    assert rfm.read({"period": "2026-q3", "customers": "yes"})["period"].code == "2026-Q3"
    assert rfm.read({}) == {"period": None, "as_of": None, "customers": False}
    for name, text in (("period", "soon"), ("as_of", "2026-02-30"), ("customers", "many"), ("measure", "x")):
        with pytest.raises(OptionInvalid) as refused:
            rfm.read({name: text})
        assert refused.value.name == name


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "", "½", "-1", "11"])
def test_numbers_stay_in_their_bounds(text: str) -> None:
    for one in (number("rate", 0, 10, Text("")), whole("rate", 0, 10, Text(""))):
        with pytest.raises(OptionInvalid, match="rate"):
            one.read(text)
