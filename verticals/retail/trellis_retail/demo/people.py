"""Who buys at Linen & Oak: people of several countries, a few companies, and how each of them buys."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import trellis

from trellis_retail.demo.goods import Shelf
from trellis_retail.demo.places import Site
from trellis_retail.fields import CARD_SINCE

_ = trellis.translator("trellis_retail")

YEARS = 2

WOMEN: Mapping[str, Sequence[str]] = {
    "sv": ("Marta", "Elin", "Astrid", "Karin", "Saga", "Maja", "Linnea", "Ebba"),
    "cs": ("Jana", "Tereza", "Lucie", "Petra", "Veronika", "Hana", "Alena", "Kateřina"),
    "de": ("Anna", "Sabine", "Julia", "Katrin", "Lena", "Monika", "Clara", "Heike"),
    "pl": ("Agnieszka", "Kasia", "Ewa", "Magda", "Zofia", "Joanna", "Alicja"),
    "en": ("Emily", "Sophie", "Grace", "Olivia", "Charlotte", "Ruth", "Hannah"),
    "fr": ("Claire", "Manon", "Hélène", "Sophie", "Juliette", "Aurélie", "Louise"),
    "ru": ("Анна", "Екатерина", "Ольга", "Мария", "Наталья", "Дарья", "Елена", "Алёна"),
}
MEN: Mapping[str, Sequence[str]] = {
    "sv": ("Erik", "Johan", "Lars", "Oskar", "Anders", "Gustav"),
    "cs": ("Tomáš", "Jakub", "Petr", "Ondřej", "Martin", "Jiří"),
    "de": ("Lukas", "Stefan", "Jonas", "Thomas", "Felix", "Matthias"),
    "pl": ("Piotr", "Marek", "Tomasz", "Jakub", "Adam", "Michał"),
    "en": ("James", "Oliver", "Harry", "Thomas", "George", "Daniel"),
    "fr": ("Pierre", "Antoine", "Julien", "Mathieu", "Luc", "Étienne"),
    "ru": ("Алексей", "Дмитрий", "Иван", "Сергей", "Павел", "Фёдор"),
}
FAMILIES: Mapping[str, Sequence[str]] = {
    "sv": (
        "Lindqvist",
        "Andersson",
        "Nyström",
        "Bergman",
        "Sjöberg",
        "Holm",
        "Öberg",
        "Hedlund",
        "Ståhl",
        "Forsberg",
    ),
    "cs": ("Novák", "Svoboda", "Dvořák", "Procházka", "Kučera", "Veselý", "Horák", "Marek", "Beneš", "Král"),
    "de": ("Schneider", "Weber", "Hoffmann", "Bauer", "Krüger", "Vogel", "Lang", "Jung", "Möller", "Winkler"),
    "pl": ("Nowak", "Wójcik", "Mazur", "Krawczyk", "Dudek", "Wrona", "Pawlak", "Sikora", "Bąk", "Zając"),
    "en": ("Hughes", "Clarke", "Bennett", "Walsh", "Fletcher", "Harper", "Ellis", "Marsh", "Ward", "Pearce"),
    "fr": (
        "Laurent",
        "Moreau",
        "Girard",
        "Lefèvre",
        "Rousseau",
        "Fontaine",
        "Mercier",
        "Blanc",
        "Garnier",
        "Faure",
    ),
    "ru": (
        "Смирнов",
        "Кузнецов",
        "Орлов",
        "Лебедев",
        "Морозов",
        "Волков",
        "Соловьёв",
        "Зайцев",
        "Королёв",
        "Ковалёв",
    ),
}
TONGUES = {"at": "de", "lv": "ru", "kz": "ru"}
PREFIXES = {
    "sv": "+46 70",
    "cs": "+420 60",
    "at": "+43 664",
    "de": "+49 151",
    "pl": "+48 50",
    "en": "+44 7700",
}
PREFIXES |= {"fr": "+33 6 12", "lv": "+371 29", "kz": "+7 701"}
LANGUAGES = {"sv": "sv", "cs": "cs", "de": "de", "pl": "pl", "en": "en", "fr": "fr", "ru": "ru"}
STREETS = {
    "sv": ("Linnégatan", "Kungsgatan", "Storgatan"),
    "cs": ("Dlouhá", "Lidická", "Husova"),
    "at": ("Lindengasse", "Neubaugasse", "Burggasse"),
    "de": ("Lindenstraße", "Gartenstraße", "Goethestraße"),
    "pl": ("Ogrodowa", "Polna", "Słoneczna"),
    "en": ("Oak Road", "Mill Lane", "Station Road"),
    "fr": ("Rue du Lac", "Rue des Lilas", "Avenue Foch"),
    "lv": ("Brīvības iela", "Tērbatas iela", "Dzirnavu iela"),
    "kz": ("пр. Абая", "ул. Достык", "ул. Толе би"),
}
COMPANIES = ("Hotel Adria", "Café Morgenrot", "Studio Weiss", "Pension Lipa", "Riverside B&B", "Бюро «Линия»")

# purchases a year, share of customers, mean years until they stay away, level of the card
TYPES = (
    (22.0, 0.07, 6.0, "gold"),
    (10.0, 0.23, 3.0, "silver"),
    (4.0, 0.40, 1.6, "basic"),
    (1.4, 0.30, 0.8, "basic"),
)
PROSPECTS = 0.1
CLUB_LEVELS = ("gold", "silver")
CLUB_DAYS = 330


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """How a customer buys: how often, from when to when, where, and with how open a purse."""

    id: int
    card: str | None
    joined: date
    leaves: date
    yearly: float
    purse: float
    online: float
    bargains: float
    home: Site
    shelf: int


def make(context: trellis.DemoContext, sites: Sequence[Site], shelves: Sequence[Shelf]) -> list[Buyer]:
    """Writes customers, and contacts of those that are companies; returns who of them buys."""
    dice, start = context.random, context.today - timedelta(days=365 * YEARS)
    rows: list[dict[str, Any]] = []
    habits: list[dict[str, Any]] = []
    for number in range(context.customers):
        site = sites[number % (len(sites) - 1)] if number < len(sites) - 1 else dice.choice(sites[:-1])
        habit = _habit(dice, number, start, context.today) | {
            "home": site,
            "shelf": dice.randrange(len(shelves)),
        }
        rows.append(_person(dice, number, context.today, site, habit, shelves[habit["shelf"]]))
        habits.append(habit)
    ids = context.create("customer", rows)
    moments = {one: _morning(habit["joined"]) for one, habit in zip(ids, habits, strict=True)}
    context.backdate("customer", "created_at", moments)
    _contacts(context, ids)
    return [
        Buyer(id=one, **{key: habit[key] for key in Buyer.__dataclass_fields__ if key != "id"})
        for one, habit in zip(ids, habits, strict=True)
        if habit["buys"]
    ]


def club(context: trellis.DemoContext) -> None:
    """The club with its costs: who has a better card belongs to it since the day on the card."""
    started = (context.today - timedelta(days=CLUB_DAYS)).replace(day=1)
    costs = {
        "setup_cost": 600,
        "platform_cost": 50,
        "mailing_cost": 50,
        "rewards_cost": 90,
        "unredeemed": 400,
    }
    row = {"name": context.text(_("Oak Club")), "started_on": started, "member_field": CARD_SINCE.name}
    row |= {name: each * context.customers // 100 for name, each in costs.items()}
    context.create("programme", [{**row, "compare_by": "area"}])


def _habit(dice: random.Random, number: int, start: date, today: date) -> dict[str, Any]:
    """The first customers are the faces of the demo: Marta buys much and often; companies follow."""
    yearly, _share, years, level = (
        TYPES[0] if number == 0 else dice.choices(TYPES, [one[1] for one in TYPES])[0]
    )
    long_known = number < 10 or dice.random() < 0.5
    span = (today - start).days
    joined = start if long_known else start + timedelta(days=int(span * dice.random() ** 0.8))
    stays = 9999 if number == 0 else int(dice.expovariate(1 / (365 * years)))
    has_card = number < 10 or dice.random() < 0.82
    return {
        "joined": joined,
        "leaves": joined + timedelta(days=stays),
        "yearly": 30.0 if number == 0 else yearly * dice.uniform(0.6, 1.5),
        "purse": 2.4 if number < 2 + len(COMPANIES) else dice.lognormvariate(0, 0.5),
        "online": 0.35 if number == 0 else dice.betavariate(0.7, 1.6),
        "bargains": dice.betavariate(0.9, 2.4),
        "level": level if has_card else None,
        "card": f"{2041 + number // 10000:04} {(8830 + number * 7919) % 10000:04}" if has_card else None,
        "buys": number < 10 or dice.random() >= PROSPECTS,
    }


def _person(
    dice: random.Random, number: int, today: date, site: Site, habit: Mapping[str, Any], shelf: Shelf
) -> dict[str, Any]:
    tongue = TONGUES.get(site.culture, site.culture)
    woman = dice.random() < 0.64
    given, family = dice.choice((WOMEN if woman else MEN)[tongue]), dice.choice(FAMILIES[tongue])
    company = COMPANIES[number - 2] if 2 <= number < 2 + len(COMPANIES) else None
    name = company or (
        "Marta Lindqvist" if number == 0 else f"{given} {_declined(family, tongue) if woman else family}"
    )
    reachable = dice.random() < 0.78
    return {
        "name": name,
        "kind": "company" if company else "person",
        "email": f"{_latin(name)}{number or ''}@mail.example" if reachable else None,
        "phone": f"{PREFIXES[site.culture]} {dice.randint(100, 999)} {dice.randint(10, 99)} {dice.randint(10, 99)}",
        "address": f"{dice.choice(STREETS[site.culture])} {dice.randint(1, 120)}",
        "city": site.city,
        "country": site.country,
        "language": LANGUAGES[tongue],
        "source": None,
        "birthday": None if company else today - timedelta(days=dice.randint(22 * 365, 74 * 365)),
        "owner": site.manager,
        "unit": site.unit,
        "retail.card_number": habit["card"],
        "retail.card_level": habit["level"],
        CARD_SINCE.name: today - timedelta(days=CLUB_DAYS - number * 37 % 240)
        if habit["level"] in CLUB_LEVELS
        else None,
        "retail.home_store": site.id,
        "retail.favourite_category": shelf.category,
        "retail.preferred_channel": "online" if habit["online"] > 0.5 else "store",
        "retail.household_size": None if company else dice.choices((1, 2, 3, 4, 5), (24, 34, 20, 16, 6))[0],
        "retail.consent_mail": reachable and dice.random() < 0.8,
        "retail.consent_sms": dice.random() < 0.4,
    }


def _declined(family: str, tongue: str) -> str:
    """A woman's surname, where the language has one."""
    if tongue == "ru":
        return f"{family}а"
    if tongue == "cs":
        stem = {"Veselý": "Veselá", "Svoboda": "Svobodová", "Procházka": "Procházková", "Kučera": "Kučerová"}
        return stem.get(family) or f"{family.replace('Marek', 'Mark')}ová"
    return family


def _contacts(context: trellis.DemoContext, customers: Sequence[int]) -> None:
    """A person to talk to at each company."""
    people = ("Petra Lang", "Jonas Vogel", "Ruth Weiss", "Hana Benešová", "Daniel Ward", "Ирина Линник")
    rows = [
        {"name": person, "customer": customer, "position": context.text(_("Purchasing")), "role": "decides"}
        for person, customer in zip(people, customers[2:], strict=False)
    ]
    context.create("contact", rows)


_LETTERS = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщыэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "h",
            "ts",
            "ch",
            "sh",
            "sch",
            "y",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)


def _latin(name: str) -> str:
    """The name as it can stand in a mail address."""
    spelled = "".join(_LETTERS.get(letter, letter) for letter in name.lower().replace("ł", "l"))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return ".".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)
