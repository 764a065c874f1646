"""The program that fills templates: what a template may say, and what it is stopped from."""

from __future__ import annotations

from typing import Any

import pytest
from trellis.documents import ready
from trellis.documents.making import fill
from trellis.errors import RecordInvalid

DATA: dict[str, Any] = {
    "record": {
        "kind": "record",
        "text": "A-1",
        "fields": {
            "number": "A-1",
            "paid": {"kind": "flag", "value": False, "text": "No"},
            "channel": {"kind": "choice", "value": "online", "text": "Online shop"},
            "day": {"kind": "day", "value": "2026-11-26", "text": "26 Nov 2026"},
            "amount": {"kind": "figure", "value": "1234.50", "text": "€1 234.50"},
            "customer": None,
        },
    },
    "related": {},
    "organisation": {"name": "Linen", "currency": "EUR"},
}


def filled(template: str, format: str = "html") -> str:
    asked = {"format": format, "language": "en", "title": "A", "template": template, "data": DATA}
    return fill(asked).decode(errors="replace")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "{{ record }} {{ record.amount }} {{ record.paid }} {{ record.day }}",
            "A-1 €1 234.50 No 26 Nov 2026",
        ),
        ("{% if record.paid %}yes{% else %}no{% endif %}", "no"),
        ("{% if record.channel == 'online' and record.channel == 'Online shop' %}yes{% endif %}", "yes"),
        ("{% if record.day.month == 11 and record.amount > 1000 %}yes{% endif %}", "yes"),
        ("{{ (record.amount * 2) | money }}", "€2\N{NO-BREAK SPACE}469.00"),
        ("{{ record.amount | money('RUB') }}", "RUB\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}234.50"),
        ("[{{ record.customer.name }}]", "[]"),
        ("{{ organisation.name }}", "Linen"),
    ],
)
def test_values_are_written_as_people_write_them_and_compared_as_what_they_are(
    template: str, text: str
) -> None:
    assert filled(template) == text


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ record.nmae }}", "“nmae”"),
        ("{{ ''.__class__.__mro__ }}", "__class__"),
        ("{% for one in range(10**9) %}x{% endfor %}", "range"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ 'x' * 10**11 }}", "too large a document"),
        ("{{ related.update({}) }}", "unsafe"),
        ("{{ 1 // 0 }}", "zero"),
        (
            "{% for a in [1] * 3000 %}{% for b in [1] * 3000 %}{% for c in [1] * 3000 %}{% endfor %}{% endfor %}{% endfor %}",
            "takes too long",
        ),
    ],
)
def test_what_a_template_may_not_do_is_said(template: str, problem: str) -> None:
    with pytest.raises(RecordInvalid) as refused:
        filled(template)
    assert problem in str(refused.value.errors["template"][0])


def test_what_people_write_is_text_in_a_pdf_too() -> None:
    hostile = '<p>#read("/etc/passwd") $x$ *b* @a \\</p><table><tr><td colspan="3">1</td></tr><tr><td>2</td></tr></table>'
    deep = "<div>" * 5000 + "x" + "<ul><li>" * 50
    for content in (
        hostile,
        deep,
        "",
        "<table></table><h1></h1><ol></ol>",
        "<p>a<br>b</p><pre> c\n d</pre><hr>",
    ):
        assert filled(content, "pdf").startswith("%PDF-")


def test_a_program_waits_for_the_next_document_and_another_is_asked_where_it_has_died() -> None:
    assert filled("{{ record.number }}") == "A-1"
    (waiting,) = ready._waiting
    assert filled("{{ record.number }}") == "A-1"
    assert waiting.returncode == 0  # it has made that one, and no other
    (waiting,) = ready._waiting
    waiting.kill()
    waiting.wait()
    assert filled("{{ record.number }}") == "A-1"
