"""How two known files of purchases become customers, products, receipts and lines.

``online_retail`` is UCI's “Online Retail”: a CSV with a row for each line of an invoice. An invoice whose number starts
with C is a cancellation, with negative quantities. Rows without a customer are sales to someone unknown; rows with a
price of zero are corrections of the stock and no sales. Postage, fees and the like stand on the invoice as lines without
a product.

``cdnow`` is the CDNOW cohort: a row for each purchase, columns set apart by spaces.
"""

from __future__ import annotations

import trellis

_ = trellis.translator("trellis_retail")

CHARGES = ("POST", "D", "M", "C2", "DOT", "S", "B", "CRUK", "PADS", "AMAZONFEE", "BANK CHARGES")
IS_CHARGE = f"upper(StockCode) in {list(CHARGES)}"
IS_CORRECTION = "number(UnitPrice) == 0"
MOMENT = 'datetime(InvoiceDate, "%m/%d/%Y %H:%M") if "/" in InvoiceDate else InvoiceDate'

ONLINE_RETAIL = [
    trellis.ImportMapping(
        name="retail.online_retail_customers",
        title=_("Online Retail: customers"),
        entity="customer",
        columns={
            "external_id": "=whole(CustomerID)",
            "name": '=concat("Customer ", whole(CustomerID))',
            "country": "Country",
            "retail.preferred_channel": '="online"',
        },
        skip="not text(CustomerID)",
        create_only=True,
    ),
    trellis.ImportMapping(
        name="retail.online_retail_products",
        title=_("Online Retail: products"),
        entity="product",
        columns={
            "external_id": "=upper(StockCode)",
            "code": "=upper(StockCode)",
            "name": "Description",
            "price": "UnitPrice",
            "currency": '="GBP"',
        },
        skip=f"{IS_CORRECTION} or {IS_CHARGE}",
        create_only=True,
    ),
    trellis.ImportMapping(
        name="retail.online_retail_receipts",
        title=_("Online Retail: receipts"),
        entity="order",
        columns={
            "external_id": "InvoiceNo",
            "number": "InvoiceNo",
            "customer": "=whole(CustomerID)",
            "ordered_at": f"={MOMENT}",
            "channel": '="online"',
            "currency": '="GBP"',
            "retail.is_return": '=when(starts_with(InvoiceNo, "C"), true)',
        },
        skip=IS_CORRECTION,
        create_only=True,
    ),
    trellis.ImportMapping(
        name="retail.online_retail_lines",
        title=_("Online Retail: lines of receipts"),
        entity="order_line",
        columns={
            "external_id": '=concat(InvoiceNo, "-", _row)',
            "order": "InvoiceNo",
            "product": f'=when({IS_CHARGE}, "", upper(StockCode))',
            "quantity": "Quantity",
            "price": "UnitPrice",
        },
        skip=IS_CORRECTION,
        create_only=True,
    ),
]

CDNOW = [
    trellis.ImportMapping(
        name="retail.cdnow_customers",
        title=_("CDNOW: customers"),
        entity="customer",
        columns={
            "external_id": "customer_id",
            "name": '=concat("Customer ", customer_id)',
            "retail.preferred_channel": '="online"',
        },
        create_only=True,
        delimiter="whitespace",
    ),
    trellis.ImportMapping(
        name="retail.cdnow_receipts",
        title=_("CDNOW: receipts"),
        entity="order",
        columns={
            "external_id": '=concat("CDNOW-", _row)',
            "number": '=concat("CDNOW-", _row)',
            "customer": "customer_id",
            "ordered_at": '=date(date, "%Y%m%d")',
            "channel": '="online"',
            "amount": "dollar_value",
            "currency": '="USD"',
            "retail.units": "number_of_cds",
        },
        create_only=True,
        delimiter="whitespace",
    ),
]

MAPPINGS = [*ONLINE_RETAIL, *CDNOW]
