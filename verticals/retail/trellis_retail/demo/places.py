"""Where Linen & Oak sells: regions, units of the organisation, stores and the online shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import trellis

_ = trellis.translator("trellis_retail")

REGIONS = {"north": _("North"), "central": _("Central Europe"), "west": _("West"), "east": _("East")}
COUNTRIES = {
    "sv": _("Sweden"),
    "cs": _("Czechia"),
    "at": _("Austria"),
    "de": _("Germany"),
    "pl": _("Poland"),
    "en": _("United Kingdom"),
    "fr": _("France"),
    "lv": _("Latvia"),
    "kz": _("Kazakhstan"),
}

SITES = (
    ("Nordstan", _("Gothenburg"), "sv", "north", "mall", 640, "Götgatan 10"),
    ("Palladium", _("Prague"), "cs", "central", "mall", 720, "Náměstí Republiky 1"),
    ("Alexanderplatz", _("Berlin"), "de", "central", "flagship", 1240, "Alexanderplatz 3"),
    ("Galerija Centrs", _("Riga"), "lv", "east", "mall", 480, "Audēju iela 16"),
    ("Deansgate", _("Manchester"), "en", "west", "city", 520, "Deansgate 82"),
    ("Mariahilf", _("Vienna"), "at", "central", "city", 560, "Mariahilfer Straße 41"),
    ("Drottninggatan", _("Stockholm"), "sv", "north", "flagship", 1180, "Drottninggatan 53"),
    ("Dostyk Plaza", _("Almaty"), "kz", "east", "mall", 690, "Samal-2, 111"),
    ("Rivoli", _("Paris"), "fr", "west", "city", 430, "Rue de Rivoli 88"),
    ("Stary Browar", _("Poznań"), "pl", "central", "mall", 610, "Półwiejska 42"),
    ("Sendling", _("Munich"), "de", "central", "city", 610, "Sendlinger Straße 12"),
    ("Covent Garden", _("London"), "en", "west", "flagship", 1320, "Long Acre 27"),
    ("Vaňkovka", _("Brno"), "cs", "central", "mall", 540, "Ve Vaňkovce 1"),
    ("Emporia", _("Malmö"), "sv", "north", "mall", 580, "Hyllie Boulevard 19"),
    ("Bellecour", _("Lyon"), "fr", "west", "city", 390, "Rue Émile Zola 15"),
    ("Mega Park", _("Almaty"), "kz", "east", "outlet", 820, "Makatayev 127"),
    ("Złote Tarasy", _("Warsaw"), "pl", "central", "mall", 700, "Złota 59"),
    ("Mönckeberg", _("Hamburg"), "de", "north", "city", 590, "Mönckebergstraße 7"),
    ("Getreidegasse", _("Salzburg"), "at", "central", "city", 310, "Getreidegasse 24"),
    ("Cabot Circus", _("Bristol"), "en", "west", "mall", 470, "Glass House 4"),
)
MANAGERS = (
    "Ingrid Sandberg",
    "Jana Dvořáková",
    "Lukas Brandt",
    "Ольга Мельникова",
    "Owen Hughes",
    "Theresa Gruber",
    "Nils Ekström",
    "Айгерим Сеитова",
    "Camille Laurent",
    "Piotr Zieliński",
    "Katharina Huber",
    "George Palmer",
    "Ondřej Malý",
    "Sanna Lund",
    "Bastien Chevalier",
    "Ерлан Ахметов",
    "Monika Sadowska",
    "Henrik Petersen",
    "Florian Steiner",
    "Alice Morgan",
)
ONLINE_CODE = "ON"


@dataclass(frozen=True)
class Site:
    """A store as the rest of the demo knows it."""

    id: int
    code: str
    culture: str
    city: str
    country: str
    unit: int
    manager: int


def make(context: trellis.DemoContext) -> list[Site]:
    """Writes regions, units, managers and stores. The last of the stores is the online shop."""
    sites = SITES[: max(4, context.customers // 60)]
    company = context.create("unit", [{"name": "Linen & Oak"}])[0]
    units = _units(context, sites, company)
    managers = _managers(context, units)
    regions = _regions(context)
    rows = []
    for number, (name, city, _culture, region, form, area, address) in enumerate(sites, 1):
        opened = context.today - timedelta(days=context.random.randint(1200, 5200))
        rows.append(
            {
                "name": name,
                "code": f"S{number:02}",
                "format": form,
                "region": regions[region],
                "city": context.text(city),
                "address": address,
                "area_m2": area,
                "opened": opened,
                "manager": managers[number - 1],
                "unit": units[number - 1],
            }
        )
    online = {
        "name": context.text(_("Online shop")),
        "code": ONLINE_CODE,
        "format": "online",
        "unit": units[-1],
        "manager": context.users["manager"],
    }
    ids = context.create("retail.store", [*rows, online])
    made = [
        Site(
            ids[place],
            f"S{place + 1:02}",
            site[2],
            context.text(site[1]),
            context.text(COUNTRIES[site[2]]),
            units[place],
            managers[place],
        )
        for place, site in enumerate(sites)
    ]
    return [*made, Site(ids[-1], ONLINE_CODE, "", "", "", units[-1], context.users["manager"])]


def _units(context: trellis.DemoContext, sites: Sequence[tuple[Any, ...]], company: int) -> list[int]:
    """A unit for each region, and one for each store under it; the online shop has its own."""
    heads = context.create(
        "unit", [{"name": context.text(title), "parent": company} for title in REGIONS.values()]
    )
    parent = dict(zip(REGIONS, heads, strict=True))
    rows = [{"name": site[0], "parent": parent[site[3]]} for site in sites]
    return context.create("unit", [*rows, {"name": context.text(_("Online shop")), "parent": company}])


def _managers(context: trellis.DemoContext, units: list[int]) -> list[int]:
    """A person and a position for each store; the demo users get a place too."""
    rows = [
        {
            "name": MANAGERS[place % len(MANAGERS)],
            "email": f"store{place + 1:02}@linenandoak.example",
            "unit": unit,
        }
        for place, unit in enumerate(units[:-1])
    ]
    managers = context.create("user", rows)
    title = context.text(_("Store manager"))
    context.create(
        "position",
        [
            {"name": title, "holder": person, "unit": unit}
            for person, unit in zip(managers, units, strict=False)
        ],
    )
    for role, unit in (("manager", units[-1]), ("agent", units[0])):
        context.records.update("user", context.users[role], {"unit": unit})
    return managers


def _regions(context: trellis.DemoContext) -> dict[str, int]:
    top = context.create("retail.region", [{"name": context.text(_("All regions")), "code": "ALL"}])[0]
    rows = [
        {"name": context.text(title), "code": key.upper()[:3], "parent": top}
        for key, title in REGIONS.items()
    ]
    return dict(zip(REGIONS, context.create("retail.region", rows), strict=True))
