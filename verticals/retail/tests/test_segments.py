"""Who is in which segment."""

from __future__ import annotations

from datetime import date

import pytest
from shop import Shop
from trellis_retail.segments import _month_days


def test_the_second_purchase_is_due_from_20_to_60_days_after_the_only_receipt(shop: Shop) -> None:
    due = [shop.customer(f"due {days}") for days in (20, 60)]
    for customer, days in zip(due, (20, 60), strict=True):
        shop.receipt(customer, shop.ago(days))
    for days in (19, 61):
        shop.receipt(shop.customer(f"not due {days}"), shop.ago(days))
    twice = shop.customer("twice")
    shop.receipt(twice, shop.ago(30))
    shop.receipt(twice, shop.ago(25))
    assert shop.measured().members("second_purchase_due") == set(due)


def test_new_bought_once_and_lost_go_by_the_day_of_purchases(shop: Shop) -> None:
    new, once, lost, prospect = (shop.customer(name) for name in ("new", "once", "lost", "prospect"))
    shop.receipt(new, shop.ago(29))
    shop.receipt(once, shop.ago(61))
    shop.receipt(lost, shop.ago(366))
    shop.receipt(lost, shop.ago(500))
    shop.measured()
    assert shop.members("new") == {new}
    assert shop.members("one_timers") == {once}
    assert shop.members("lost") == {lost}
    assert all(prospect not in shop.members(name) for name in ("new", "one_timers", "lost", "loyal"))


def test_scores_divide_champions_from_those_who_stopped(shop: Shop) -> None:
    customers = [shop.customer(f"c{number}") for number in range(10)]
    best, gone, sleeping = customers[0], customers[1], customers[2]
    for days in (1, 20, 40, 60):
        shop.receipt(best, shop.ago(days), 100)
    for days in (300, 310, 320, 330):
        shop.receipt(gone, shop.ago(days), 90)
    shop.receipt(sleeping, shop.ago(350), 1)
    for number, customer in enumerate(customers[3:]):
        shop.receipt(customer, shop.ago(50 + number), 5 + number)
    shop.measured()
    assert best in shop.members("champions")
    assert best in shop.members("loyal")
    assert gone in shop.members("cannot_lose") & shop.members("at_risk") & shop.members("loyal")
    assert sleeping in shop.members("hibernating")
    assert not shop.members("champions") & shop.members("at_risk")


def test_discount_seekers_have_a_discount_on_more_than_60_percent_of_three_receipts_or_more(
    shop: Shop,
) -> None:
    seeker, careful, hasty = (shop.customer(name) for name in ("seeker", "careful", "hasty"))
    for number in range(5):
        shop.receipt(seeker, shop.ago(number), retail_discount=2 if number < 4 else None)
        shop.receipt(careful, shop.ago(number), retail_discount=2 if number < 3 else 0)
    shop.receipt(hasty, shop.ago(1), retail_discount=5)
    assert shop.measured().members("discount_seekers") == {seeker}


def test_online_first_have_more_than_half_of_their_receipts_online(shop: Shop) -> None:
    online, both, before = (shop.customer(name) for name in ("online", "both", "before"))
    for customer, channels in ((online, ("online", "online", "store")), (both, ("online", "store"))):
        for number, channel in enumerate(channels):
            shop.receipt(customer, shop.ago(number), channel=channel)
    shop.receipt(before, shop.ago(400), channel="online")
    shop.receipt(None, shop.ago(1), channel="online")
    assert shop.measured().members("online_first") == {online}


def test_who_returns_30_percent_by_value_returns_much(shop: Shop) -> None:
    much, little = shop.customer("much"), shop.customer("little")
    for customer, back in ((much, "-30"), (little, "-29.99")):
        shop.receipt(customer, shop.ago(9), 100)
        shop.receipt(customer, shop.ago(2), back)
    assert shop.measured().members("high_returners") == {much}


@pytest.mark.parametrize(
    ("birthday", "soon"),
    [
        (date(1980, 11, 23), True),
        (date(1980, 12, 7), True),
        (date(1980, 12, 8), False),
        (date(1980, 11, 22), False),
    ],
)
def test_birthdays_are_soon_for_14_days(shop: Shop, birthday: date, soon: bool) -> None:
    customer = shop.customer(birthday=birthday)
    assert (customer in shop.measured().members("birthday_soon")) is soon


def test_a_birthday_on_29_february_is_kept_every_year() -> None:
    assert 229 in _month_days([date(2026, 2, 28)])
    assert 229 in _month_days([date(2028, 2, 29)])
    assert 229 not in _month_days([date(2028, 2, 28)])
    assert 229 not in _month_days([date(2026, 3, 1)])


def test_customers_may_be_written_to_when_they_agreed_and_have_an_address(shop: Shop) -> None:
    agreed = shop.customer("agreed", email="a@example.com", retail_consent_mail=True)
    shop.customer("silent", email="b@example.com")
    shop.customer("refused", email="c@example.com", retail_consent_mail=False)
    shop.customer("no address", retail_consent_mail=True)
    assert shop.measured().members("reachable") == {agreed}


def test_buyers_without_a_card_are_asked_for_one(shop: Shop) -> None:
    without, holder, gone = (
        shop.customer("without"),
        shop.customer("holder", retail_card_number="1"),
        shop.customer("gone"),
    )
    for customer, days in ((without, 90), (holder, 3), (gone, 91)):
        shop.receipt(customer, shop.ago(days))
    assert shop.measured().members("without_card") == {without}
