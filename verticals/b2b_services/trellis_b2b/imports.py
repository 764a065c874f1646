"""Files of B2B customers."""

from __future__ import annotations

import trellis
from trellis import ImportMapping

from trellis_b2b.model import SEGMENTATION

_ = trellis.translator("trellis_b2b")

MAPPINGS = [
    ImportMapping(
        name="b2b.wholesale_customers",
        title=_("UCI Wholesale customers"),
        description=_("440 clients of a distributor, with their yearly spending by product group"),
        cell=SEGMENTATION,
        entity="customer",
        columns={
            "external_id": "=concat('wholesale-', _row)",
            "name": "=concat('Client ', pad(text(_row), 3))",
            "kind": "='company'",
            "b2b.industry": "=when(text(Channel) == '1', 'Hotel, restaurant, café', 'Retail')",
            "city": "=when(text(Region) == '1', 'Lisbon', when(text(Region) == '2', 'Porto', ''))",
            "country": "='Portugal'",
            "b2b.annual_revenue": "=number(Fresh) + number(Milk) + number(Grocery) + number(Frozen)"
            " + number(Detergents_Paper) + number(Delicassen)",
        },
    )
]
