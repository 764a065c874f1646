"""What a reader is told of figures that do not count everything: whose customers, and what of what they brought."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from trellis.crm.analytics.window import LeftOut
from trellis.edition import Edition
from trellis.i18n import Text, format_money, plural_translator, translator
from trellis.kpi.income import withholds_income
from trellis.security.actor import Actor

_ = translator("trellis")
_n = plural_translator("trellis")


class Made(Enum):
    """What figures of customers are made of: the customers, the sales that brought income, or classes and scores kept of all."""

    CUSTOMERS = auto()
    SALES = auto()
    SCORES = auto()


def told(edition: Edition, actor: Actor, made: Made) -> Text | None:
    """What figures of customers count for this reader; None where that is everything."""
    everybody = actor.sees_all("customer")
    if made is Made.CUSTOMERS:
        return None if everybody else _("Only customers that you may see are counted")
    if actor.sees_income(edition) and not withholds_income(actor.sees(edition)):
        return (
            None
            if everybody
            else _("Only customers that you may see are counted, with all that they brought")
        )
    if made is Made.SCORES or withholds_income(actor.sees(edition)):
        return (
            _(
                "Classes and scores are made of all that customers brought, also in records that you may not see"
            )
            if everybody
            else _(
                "Only customers that you may see are counted, with all that they brought, also in records that you may not see"
            )
        )
    return (
        _(
            "Only what customers brought in records that you may see is counted; the classes and scores that "
            "stand on customers are made of all"
        )
        if everybody
        else _(
            "Only customers that you may see are counted, with what they brought in records that you may see; "
            "the classes and scores that stand on customers are made of all"
        )
    )


def told_left_out(amounts: Sequence[LeftOut], products: bool = False) -> Text | None:
    """What is in no figure for want of an exchange rate; None where there is nothing of the kind."""
    if not amounts:
        return None
    parts = []
    for one in amounts:
        amount = format_money(one.amount, one.currency)
        if products:
            parts.append(
                _n(
                    "%(amount)s of %(num)s product",
                    "%(amount)s of %(num)s products",
                    one.items,
                    amount=amount,
                )
            )
        else:
            parts.append(
                _n(
                    "%(amount)s of %(num)s customer",
                    "%(amount)s of %(num)s customers",
                    one.items,
                    amount=amount,
                )
            )
    return _(
        "Left out, as there is no exchange rate of their day: %(amounts)s",
        amounts="; ".join(str(part) for part in parts),
    )
