"""The demo: Linen & Oak, a home-goods retailer."""

from __future__ import annotations

import trellis

_ = trellis.translator("trellis_retail")


def load(context: trellis.DemoContext) -> None:
    """Writes the company."""


DEMO = trellis.Demo(name="retail.linen_and_oak", title=_("Linen & Oak"), load=load)
