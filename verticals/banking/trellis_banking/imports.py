"""How files of banks become records."""

from __future__ import annotations

import trellis
from trellis import ImportMapping

_ = trellis.translator("trellis_banking")

CHURN_CUSTOMERS = ImportMapping(
    name="banking.churn_customers",
    title=_("Customers of the churn data set"),
    description=_("Churn_Modelling.csv: one customer a row, with country, credit score and segment"),
    entity="customer",
    columns={
        "external_id": "CustomerId",
        "name": "Surname",
        "country": "Geography",
        "banking.credit_score": "CreditScore",
        "banking.segment": "=when(number(Balance) >= 100000, 'affluent', 'mass')",
    },
)
CHURN_ACCOUNTS = ImportMapping(
    name="banking.churn_accounts",
    title=_("Accounts of the churn data set"),
    description=_("Churn_Modelling.csv: the account of each customer, closed where the customer has left"),
    entity="banking.account",
    columns={
        "external_id": "CustomerId",
        "number": "CustomerId",
        "customer": "CustomerId",
        "balance": "Balance",
        "status": "=when(whole(Exited) == '1', 'closed', 'active')",
    },
)
MAPPINGS = [CHURN_CUSTOMERS, CHURN_ACCOUNTS]
