"""How two known files of purchases become customers, products, receipts and lines.

``retail.online_retail`` is UCI's "Online Retail": a CSV with a row for each line of an invoice. ``retail.cdnow`` is the
CDNOW cohort: a row for each purchase, columns set apart by spaces.
"""

from __future__ import annotations

import trellis

_ = trellis.translator("trellis_retail")

MAPPINGS: list[trellis.ImportMapping] = []
