"""Names for a made-up bank: its towns, its people, its customers. Nobody of them exists."""

from __future__ import annotations

import random
from dataclasses import dataclass

_Letters = dict[str, str]

_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
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
            "y",
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
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "",
            "y",
            "",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)
_LATIN = dict(
    zip(
        "äöüßéèáàóòúíčćšžřýłńąężźőűğıçñ",
        [
            "ae",
            "oe",
            "ue",
            "ss",
            "e",
            "e",
            "a",
            "a",
            "o",
            "o",
            "u",
            "i",
            "c",
            "c",
            "s",
            "z",
            "r",
            "y",
            "l",
            "n",
            "a",
            "e",
            "z",
            "z",
            "o",
            "u",
            "g",
            "i",
            "c",
            "n",
        ],
        strict=True,
    )
)


@dataclass(frozen=True)
class People:
    """The names of one language: given names of women and men, and family names in both forms."""

    language: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[tuple[str, str], ...]

    def draw(self, source: random.Random) -> str:
        """A full name."""
        woman = source.random() < 0.5
        family = source.choice(self.families)[0 if woman else 1]
        return f"{source.choice(self.women if woman else self.men)} {family}"


def _same(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in text.split())


def _russian(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{name}а", name) for name in text.split())


GERMAN = People(
    "de",
    tuple(
        [
            "Anna",
            "Katharina",
            "Lena",
            "Sabine",
            "Petra",
            "Julia",
            "Theresa",
            "Monika",
            "Elisabeth",
            "Johanna",
            "Sophie",
            "Eva",
        ]
    ),
    tuple(
        [
            "Lukas",
            "Thomas",
            "Michael",
            "Stefan",
            "Jakob",
            "Florian",
            "Andreas",
            "Matthias",
            "Wolfgang",
            "Georg",
            "Paul",
            "Jürgen",
        ]
    ),
    _same(
        "Gruber Huber Bauer Wagner Pichler Steiner Moser Mayer Hofer Leitner Berger Fuchs Eder Fischer Schmid "
        "Winkler Weber Schwarz Maier Schneider Reiter Böhm Köhler Lang Haas Brunner Wimmer Auer Wolf Lehner"
    ),
)
RUSSIAN = People(
    "ru",
    tuple(
        [
            "Анна",
            "Мария",
            "Елена",
            "Ольга",
            "Наталья",
            "Ирина",
            "Светлана",
            "Алёна",
            "Дарья",
            "Екатерина",
            "Юлия",
            "Татьяна",
        ]
    ),
    tuple(
        [
            "Алексей",
            "Дмитрий",
            "Сергей",
            "Иван",
            "Пётр",
            "Михаил",
            "Артём",
            "Николай",
            "Фёдор",
            "Андрей",
            "Владимир",
            "Семён",
        ]
    ),
    _russian(
        "Иванов Кузнецов Соколов Попов Лебедев Козлов Новиков Морозов Волков Соловьёв Васильев Зайцев Павлов "
        "Семёнов Голубев Виноградов Богданов Воробьёв Фёдоров Михайлов Беляев Тарасов Белов Комаров Орлов Киселёв"
    ),
)
POLISH = People(
    "pl",
    tuple(["Agnieszka", "Katarzyna", "Małgorzata", "Zofia", "Ewa", "Barbara"]),
    tuple(["Łukasz", "Piotr", "Krzysztof", "Tomasz", "Jakub", "Wojciech"]),
    (
        ("Nowak", "Nowak"),
        ("Kowalska", "Kowalski"),
        ("Wiśniewska", "Wiśniewski"),
        ("Wójcik", "Wójcik"),
        ("Zielińska", "Zieliński"),
        ("Dąbrowska", "Dąbrowski"),
    ),
)
CZECH = People(
    "cs",
    tuple(["Jana", "Eva", "Lucie", "Tereza", "Hana", "Veronika"]),
    tuple(["Jan", "Petr", "Tomáš", "Martin", "Jiří", "Ondřej"]),
    (
        ("Nováková", "Novák"),
        ("Svobodová", "Svoboda"),
        ("Dvořáková", "Dvořák"),
        ("Černá", "Černý"),
        ("Procházková", "Procházka"),
        ("Kučerová", "Kučera"),
    ),
)
SERBIAN = People(
    "sr",
    tuple(["Jelena", "Milica", "Ana", "Ivana", "Marija", "Dragana"]),
    tuple(["Nikola", "Marko", "Stefan", "Dušan", "Miloš", "Vladimir"]),
    _same("Jovanović Petrović Nikolić Marković Đorđević Stojanović Ilić Pavlović"),
)
TURKISH = People(
    "tr",
    tuple(["Ayşe", "Elif", "Zeynep", "Fatma", "Merve"]),
    tuple(["Mehmet", "Mustafa", "Emre", "Ahmet", "Murat"]),
    _same("Yılmaz Kaya Demir Çelik Şahin Öztürk"),
)
ITALIAN = People(
    "it",
    tuple(["Giulia", "Chiara", "Francesca", "Sara", "Martina"]),
    tuple(["Marco", "Luca", "Andrea", "Matteo", "Alessandro"]),
    _same("Rossi Ferrari Bianchi Romano Colombo Ricci Marino"),
)

MIX = {
    "en": ((GERMAN, 48), (RUSSIAN, 14), (SERBIAN, 10), (CZECH, 9), (POLISH, 7), (TURKISH, 7), (ITALIAN, 5)),
    "ru": ((RUSSIAN, 88), (SERBIAN, 4), (GERMAN, 4), (TURKISH, 4)),
}
TOWNS = {
    "en": (
        "Vienna",
        "Graz",
        "Linz",
        "Salzburg",
        "Innsbruck",
        "Klagenfurt",
        "Villach",
        "Wels",
        "St. Pölten",
        "Dornbirn",
    ),
    "ru": (
        "Москва",
        "Санкт-Петербург",
        "Казань",
        "Нижний Новгород",
        "Екатеринбург",
        "Самара",
        "Пермь",
        "Тула",
        "Ярославль",
        "Тверь",
    ),
}
REGIONS = {"en": ("East", "West"), "ru": ("Запад", "Восток")}
COUNTRIES = {"en": "Austria", "ru": "Россия"}
PHONES = {"en": "+43 6{:02} {:07}", "ru": "+7 9{:02} {:07}"}
STREETS = {
    "en": ("Hauptstraße", "Bahnhofstraße", "Lindenweg", "Schulgasse", "Am Markt", "Gartenweg"),
    "ru": ("ул. Лесная", "ул. Садовая", "пр. Мира", "ул. Зелёная", "ул. Школьная", "наб. Речная"),
}
EMPLOYERS = {
    "en": (
        "State railways",
        "City hospital",
        "Technical university",
        "Alpen Paper",
        "Donau Logistics",
        "Grand Hotel Ring",
    ),
    "ru": (
        "Городская больница",
        "Политехнический университет",
        "Завод «Маяк»",
        "Северная логистика",
        "Школа № 12",
    ),
}
TRADES = {
    "en": (
        "Bakery",
        "Joinery",
        "Logistics",
        "Pharmacy",
        "Hotel",
        "Software",
        "Building",
        "Winery",
        "Dental clinic",
        "Garage",
    ),
    "ru": (
        "Пекарня",
        "Мебель",
        "Логистика",
        "Аптека",
        "Гостиница",
        "Софт",
        "Строй",
        "Винодельня",
        "Стоматология",
        "Автосервис",
    ),
}
FORMS = {"en": ("GmbH", "KG", "AG", "& Co."), "ru": ("ООО", "АО")}


def person(source: random.Random, language: str) -> tuple[str, str]:
    """A person's name, and the language it is of."""
    people, weights = zip(*MIX[language], strict=True)
    chosen: People = source.choices(people, weights)[0]
    return chosen.draw(source), chosen.language


def company(source: random.Random, language: str) -> str:
    """A company's name."""
    trade, form = source.choice(TRADES[language]), source.choice(FORMS[language])
    people = RUSSIAN if language == "ru" else source.choice((GERMAN, CZECH, ITALIAN, SERBIAN))
    family = source.choice(people.families)[1]
    return f"{form} «{trade} {family}»" if language == "ru" else f"{trade} {family} {form}"


def mail(name: str, number: int) -> str:
    """A mail address that is surely nobody's, in plain letters."""
    letters = {**_CYRILLIC, **_LATIN}
    spelled = "".join(letters.get(letter, letter) for letter in name.lower())
    parts = ["".join(c for c in word if c.isascii() and c.isalnum()) for word in spelled.split()]
    return f"{'.'.join(part for part in parts if part)[:40]}{number}@example.com"
