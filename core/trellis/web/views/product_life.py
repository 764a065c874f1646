"""The lifecycle of products: what the stages bring, and the stages that sales propose, to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.product_figures import ASSUMPTIONS
from trellis.crm.analytics.product_life import ProductLife, Proposal, product_life
from trellis.crm.products.life import TITLES, confirm
from trellis.i18n import Text, currency_symbol, format_number, format_percent, plural_translator, translator
from trellis.records.types import Money
from trellis.web.choosing import asked
from trellis.web.figures import signed
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, whole_numbers
from trellis.web.views.measures import PORTFOLIO, analysis_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("product_life", __name__)

NO_STAGE = _("No stage yet")


@blueprint.get("/<workspace>/portfolio/product_lifecycle")
def show_product_lifecycle(workspace: str) -> str | Response:
    question = asked("product_lifecycle")
    found = product_life(question.session, question.edition, question.actor, question.today)
    stages, proposals = _stages(found), _proposals(found)
    file = asked_file([stages, proposals])
    if file is not None:
        return file
    return analysis_page(
        "product_lifecycle",
        _how(found),
        family=PORTFOLIO,
        number=found.products,
        currency=currency_symbol(found.currency),
        bars=_bars(found),
        rows=[_row(one) for one in found.proposals],
        confirm_url=f"{base()}/portfolio/product_lifecycle/confirm"
        if g.actor.may("product", "update")
        else "",
        tables={"stages": stages.context(), "proposals": proposals.context()},
        settings_url=f"{base()}/settings/value" if g.actor.administrator else "",
    )


@blueprint.post("/<workspace>/portfolio/product_lifecycle/confirm")
def confirm_chosen(workspace: str) -> BaseResponse:
    moved = confirm(g.records, whole_numbers(",".join(request.form.getlist("product"))))
    if moved:
        toast(_n("%(num)s product moved", "%(num)s products moved", moved))
    return go(f"{base()}/portfolio/product_lifecycle")


@blueprint.post("/<workspace>/product/<int:record_id>/confirm-stage")
def confirm_one(workspace: str, record_id: int) -> BaseResponse:
    record = g.records.get("product", record_id)
    confirm(g.records, [record.id])
    return go(f"{base()}/product/{record.id}")


def _title(stage: str | None) -> str:
    return str(TITLES[stage] if stage else NO_STAGE)


def _bars(found: ProductLife) -> list[dict[str, Any]]:
    most = max((one.sales for one in found.groups.values()), default=Decimal(0))
    return [
        {
            "title": _title(one.stage),
            "share": max(float(one.sales / most), 0.0) if most > 0 else 0.0,
            "text": amount_text(one.sales),
            "sub": _n("%(num)s product", "%(num)s products", one.products),
        }
        for one in found.groups.values()
    ]


def _stages(found: ProductLife) -> Sheet:
    groups = list(found.groups.values())
    return Sheet(
        name="stages",
        title=_("Stages"),
        heads=(_("Stage"), _("Products"), _("Sales, 12 months"), _("Proposed to be elsewhere")),
        texts=[
            [
                _title(one.stage),
                format_number(one.products),
                amount_text(one.sales),
                format_number(one.proposed),
            ]
            for one in groups
        ],
        rows=[[_title(one.stage), one.products, Money().to_json(one.sales), one.proposed] for one in groups],
        currency=found.currency,
        money=(2,),
    )


def _proposals(found: ProductLife) -> Sheet:
    return Sheet(
        name="proposals",
        title=_("Proposed by sales"),
        heads=(_("Product"), _("Stage"), _("Proposed stage"), _("Sales trend")),
        texts=(),
        rows=[
            [one.name, one.stage, one.proposed, float(one.trend) if one.trend is not None else None]
            for one in found.proposals
        ],
    )


def _row(one: Proposal) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "url": f"{base()}/product/{one.id}",
        "stage": _title(one.stage),
        "proposed": _title(one.proposed),
        "trend": signed(format_percent(one.trend), float(one.trend)) if one.trend is not None else "–",
    }


def _how(found: ProductLife) -> Text:
    values = ASSUMPTIONS.of(g.edition)
    told = _(
        "The trend is the sales of the last 12 months by those of the 12 months before, less one. Each night a stage is "
        "proposed: introduction for %(months)s months after the first sale; then growth from %(growth)s on, decline from "
        "−%(decline)s on, maturity in between; withdrawn what is not on sale, or has not sold for 12 months. Only a person "
        "moves a product.",
        months=format_number(values["introduction_months"]),
        growth=format_percent(values["growth_from"]),
        decline=format_percent(values["decline_from"]),
    )
    example = next((one for one in found.proposals if one.trend is not None), None)
    if example is None:
        return told
    return _(
        "%(rule)s For example: “%(name)s” has a trend of %(trend)s, so that “%(stage)s” is proposed.",
        rule=told,
        name=example.name,
        trend=format_percent(example.trend, 1),
        stage=TITLES[example.proposed],
    )
