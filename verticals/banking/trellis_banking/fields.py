"""Extension fields: what a bank knows of a customer, and the terms of its products."""

from __future__ import annotations

import trellis
from trellis import types

from trellis_banking.choices import ACCOUNT_KINDS, INCOME_BANDS, KYC_STATES, RISK_CLASSES, SEGMENTS

_ = trellis.translator("trellis_banking")

PROFILE = _("Banking profile")
KYC = _("Know your customer")
OFFER = _("Terms of the product")

SEGMENT = trellis.Field(
    name="banking.segment",
    entity="customer",
    type=types.Choice(SEGMENTS),
    label=_("Segment"),
    group=PROFILE,
    in_list=True,
    indexed=True,
)
BRANCH = trellis.Field(
    name="banking.branch",
    entity="customer",
    type=types.Reference("banking.branch"),
    label=_("Home branch"),
    group=PROFILE,
    indexed=True,
)
RELATIONSHIP_MANAGER = trellis.Field(
    name="banking.relationship_manager",
    entity="customer",
    type=types.Reference("user"),
    label=_("Relationship manager"),
    group=PROFILE,
)
SALARY_HERE = trellis.Field(
    name="banking.salary_here",
    entity="customer",
    type=types.Boolean(),
    label=_("Salary paid here"),
    group=PROFILE,
)
EMPLOYER = trellis.Field(
    name="banking.employer",
    entity="customer",
    type=types.Text(),
    label=_("Employer"),
    group=PROFILE,
    personal=True,
)
INCOME_BAND = trellis.Field(
    name="banking.income_band",
    entity="customer",
    type=types.Choice(INCOME_BANDS),
    label=_("Income a month"),
    group=PROFILE,
    personal=True,
)
CREDIT_SCORE = trellis.Field(
    name="banking.credit_score",
    entity="customer",
    type=types.Integer(minimum=0, additive=False),
    label=_("Credit score"),
    help=_("0 to 1 000; higher is safer"),
    group=PROFILE,
    personal=True,
    indexed=True,
)
RISK_CLASS = trellis.Field(
    name="banking.risk_class",
    entity="customer",
    type=types.Choice(RISK_CLASSES),
    label=_("Risk class"),
    help=_("Risk of money laundering, from the last review"),
    group=KYC,
)
KYC_STATUS = trellis.Field(
    name="banking.kyc_status",
    entity="customer",
    type=types.Choice(KYC_STATES),
    label=_("KYC status"),
    group=KYC,
    in_list=True,
)
KYC_NEXT_REVIEW = trellis.Field(
    name="banking.kyc_next_review",
    entity="customer",
    type=types.Date(),
    label=_("Next KYC review"),
    group=KYC,
    indexed=True,
)
TAX_RESIDENCE = trellis.Field(
    name="banking.tax_residence",
    entity="customer",
    type=types.Text(80),
    label=_("Tax residence"),
    group=KYC,
    personal=True,
)
TAX_NUMBER = trellis.Field(
    name="banking.tax_number",
    entity="customer",
    type=types.Text(40),
    label=_("Tax number"),
    group=KYC,
    personal=True,
)
POLITICALLY_EXPOSED = trellis.Field(
    name="banking.politically_exposed",
    entity="customer",
    type=types.Boolean(),
    label=_("Politically exposed person"),
    group=KYC,
    personal=True,
)
ACCOUNT_KIND = trellis.Field(
    name="banking.account_kind",
    entity="product",
    type=types.Choice(ACCOUNT_KINDS),
    label=_("Kind of account"),
    group=OFFER,
    in_list=True,
)
RATE = trellis.Field(
    name="banking.rate",
    entity="product",
    type=types.Percent(minimum=0),
    label=_("Rate"),
    help=_("Per year"),
    group=OFFER,
    in_list=True,
)
TERM = trellis.Field(
    name="banking.term",
    entity="product",
    type=types.Integer(minimum=1, additive=False),
    label=_("Longest term, months"),
    group=OFFER,
)

FIELDS = [
    SEGMENT,
    BRANCH,
    RELATIONSHIP_MANAGER,
    SALARY_HERE,
    EMPLOYER,
    INCOME_BAND,
    CREDIT_SCORE,
    RISK_CLASS,
    KYC_STATUS,
    KYC_NEXT_REVIEW,
    TAX_RESIDENCE,
    TAX_NUMBER,
    POLITICALLY_EXPOSED,
    ACCOUNT_KIND,
    RATE,
    TERM,
]
