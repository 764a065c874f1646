"""Documents: templates of the organisation and of plugins filled with a record, as HTML, PDF and Word."""

from __future__ import annotations

import io
from typing import Any

import docx
import pytest
from callers import Client, open_client
from documents.test_images import PNG, png
from flask import Flask
from trellis.installation import Installation
from trellis.workspace import Workspace

INVOICE = """<h1>Счёт {{ record.number }}</h1><p>{{ record.customer.name }}, {{ record.customer.city }}; {{ today.year }}</p>
<table>{% for line in related.order_line %}<tr><td>{{ line.product.name }}</td><td>{{ line.quantity }}</td>
<td>{{ line.amount }}</td></tr>{% endfor %}</table>
<p>{{ related.order_line | sum(attribute="amount") | money }}{% if record.amount > 50 %} !{% endif %} {{ record.channel }}</p>"""


@pytest.fixture
def order(client: Client) -> int:
    """An order of two lines, with a name that would be markup."""
    anna = client.create("customer", name="Анна <b>Ёлкина</b>", city="Praha")
    made = client.create("order", number="A-1", customer=anna, ordered_at="2026-11-20T10:00:00Z")
    for name, price in (("Стол & стул", "1234.50"), ("Lamp", "0.50")):
        product = client.create("product", name=name)
        client.create("order_line", order=made, product=product, quantity="2", price=price)
    return made


def template(client: Client, content: str | None, **fields: Any) -> str:
    values = {"name": "Invoice", "of_entity": "order", "language": "ru", "body": content, **fields}
    return f"own:{client.create('document_template', **values)}"


def made(client: Client, order: int, name: str, format: str = "html") -> bytes:
    answer = client.post(f"/order/{order}/documents", {"template": name, "format": format})
    assert answer.status_code == 201, answer.text
    return bytes(client.get(answer.headers["Location"].partition("/acme")[2]).data)


def test_a_template_says_fields_references_and_lines_in_its_language(client: Client, order: int) -> None:
    text = made(client, order, template(client, INVOICE)).decode()
    assert "<h1>Счёт A-1</h1>" in text
    assert "Анна &lt;b&gt;Ёлкина&lt;/b&gt;, Praha; 20" in text
    assert "<td>Стол &amp; стул</td><td>2</td>" in text
    assert "2\N{NO-BREAK SPACE}470,00" in text and "!" in text
    (kept,) = client.get(f"/order/{order}/files").json["items"]
    assert kept["name"] == "Invoice A-1.html"


def test_a_template_makes_a_pdf(client: Client, order: int) -> None:
    content = made(client, order, template(client, INVOICE), "pdf")
    assert content.startswith(b"%PDF-") and b"%%EOF" in content[-32:]


def test_a_word_file_is_filled_where_it_is_attached(client: Client, order: int) -> None:
    word = docx.Document()
    word.add_paragraph("Order {{ record.number }} of {{ record.customer.city }}")
    table = word.add_table(rows=3, cols=2)
    table.cell(0, 0).text = "{%tr for line in related.order_line %}"
    table.cell(1, 0).text, table.cell(1, 1).text = "{{ line.product }}", "{{ line.amount }}"
    table.cell(2, 0).text = "{%tr endfor %}"
    file = io.BytesIO()
    word.save(file)
    name = template(client, None, language="en")
    refused = client.post(f"/order/{order}/documents", {"template": name})
    assert refused.status_code == 422 and "Attach a Word file" in refused.json["errors"]["template"][0]
    place = f"/document_template/{name.removeprefix('own:')}/files"
    sent = client("POST", place, data={"file": (io.BytesIO(file.getvalue()), "order.docx")})
    assert sent.status_code == 201, sent.text
    filled = docx.Document(io.BytesIO(made(client, order, name, "docx")))
    assert filled.paragraphs[0].text == "Order A-1 of Praha"
    rows = [[cell.text for cell in row.cells] for row in filled.tables[0].rows]
    assert [row[0] for row in rows] == ["Стол & стул", "Lamp"] and "2\N{NO-BREAK SPACE}469.00" in rows[0][1]


def test_what_is_wrong_with_a_template_is_said_and_nothing_is_kept(client: Client, order: int) -> None:
    name = template(client, "{{ record.nmae }}")
    refused = client.post(f"/order/{order}/documents", {"template": name, "format": "html"})
    assert refused.status_code == 422 and "“nmae”" in refused.json["errors"]["template"][0]
    wrong = client.post(f"/order/{order}/documents", {"template": name, "format": "docx"})
    assert wrong.status_code == 422 and "pdf, html" in wrong.json["errors"]["format"][0]
    assert client.get(f"/order/{order}/files").json["items"] == []


def test_a_template_is_whole_before_it_is_kept(client: Client) -> None:
    refused = client.post("/document_template", {"name": "A", "of_entity": "oder", "body": "<p>\n{% if x %}"})
    assert refused.status_code == 422 and set(refused.json["errors"]) == {"of_entity", "body"}
    assert "Line 2" in refused.json["errors"]["body"][0]


def test_a_document_says_only_what_its_maker_may_read(
    app: Flask, client: Client, installation: Installation, workspace: Workspace, order: int
) -> None:
    name = template(client, "{{ record.number }}")
    reader = open_client(app, installation, workspace, "reader@acme.test", ["reader"])
    assert reader.get(f"/order/{order}/documents").json["items"][0]["name"] == name
    assert reader.post(f"/order/{order}/documents", {"template": name}).status_code == 403
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    assert agent.get(f"/order/{order}/documents").status_code == 404
    assert agent.post(f"/order/{order}/documents", {"template": name}).status_code == 404
    wrong = client.post("/customer/1/documents", {"template": name})
    assert wrong.status_code == 422 and "is for: Orders" in wrong.json["errors"]["template"][0]
    assert client.post(f"/order/{order}/documents", {"template": "own:999"}).status_code == 404
    assert client.post(f"/order/{order}/documents", {"template": "nothing"}).status_code == 422


def test_pictures_among_the_files_of_a_record_are_drawn(client: Client) -> None:
    anna = client.create("customer", name="Anna")
    body = '{% for one in images.values() %}{{ one | image("3cm") }}{% endfor %}{{ organisation.logo }}'
    values = {"name": "Photos", "of_entity": "customer", "body": body}
    template = client.create("document_template", **values)
    for name, data in (("a.png", png(3, 2)), ("broken.png", PNG + b"x"), ("a.txt", b"text")):
        sent = client("POST", f"/customer/{anna}/files", data={"file": (io.BytesIO(data), name)})
        assert sent.status_code == 201, sent.text
    asked = {"template": f"own:{template}", "format": "html"}
    made = client.post(f"/customer/{anna}/documents", asked)
    assert made.status_code == 201, made.text
    text = client.get(f"/customer/{anna}/files/{made.json['id']}").data.decode()  # type: ignore[index]
    assert text.count("<img") == 1 and 'alt="a.png"' in text
