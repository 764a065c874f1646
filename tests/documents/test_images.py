"""Pictures in documents: which are taken, and how they stand in HTML, in a PDF and in a Word file."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import docx
import pytest
from documents.test_filling import DATA
from trellis.documents import images
from trellis.documents.making import fill
from trellis.errors import RecordInvalid

PNG = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int) -> bytes:
    """A green picture."""
    rows = (b"\0" + bytes((32, 144, 80)) * width) * height

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def told(data: bytes) -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    return {"kind": "picture", "text": "photo.png", "format": "png", "width": 40, "data": text}


def filled(template: str, format: str = "html", word: str = "") -> bytes:
    data = {**DATA, "images": {"photo.png": told(png(40, 20))}, "document": {"number": "C-1"}}
    asked = {"format": format, "language": "en", "title": "A", "template": word or template, "data": data}
    return fill(asked)


def test_the_size_of_a_picture_is_read_from_its_head() -> None:
    assert images.size_of(png(40, 20)) == ("png", 40, 20)
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x20\x00\x30\x03" + b"\0" * 12
    assert images.size_of(jpeg) == ("jpg", 48, 32)
    assert images.size_of(b"\xff\xd8\xff\xe0") is images.size_of(b"GIF89a") is images.size_of(b"") is None
    assert images.problem_of(png(1, 1)) is None
    huge = PNG + b"\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000)
    assert "pixels" in str(images.problem_of(huge))
    assert "PNG or JPEG" in str(images.problem_of(b"<svg>"))
    assert "MB" in str(images.problem_of(png(1, 1) + b"\0" * images.LARGEST))


def test_a_picture_stands_in_html_and_in_a_pdf() -> None:
    html = filled('{{ images["photo.png"] | image("4cm") }}{{ document.number }}').decode()
    assert html.startswith('<img src="data:image/png;base64,') and 'width="151"' in html
    assert html.endswith('alt="photo.png" width="151">C-1')
    plain = filled("<p>a</p>", "pdf")
    for template in (
        "<p>{{ images['photo.png'] }}</p>",
        "{% for one in images.values() %}{{ one | image(30) }}{% endfor %}",
    ):
        drawn = filled(template, "pdf")
        assert drawn.startswith(b"%PDF-") and b"/Subtype/Image" in drawn and b"/Subtype/Image" not in plain
    for source in (
        "/etc/passwd",
        "http://x.test/a.png",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png;base64,%%",
    ):
        assert b"/Subtype/Image" not in filled(f'<img src="{source}">a', "pdf")
    with pytest.raises(RecordInvalid):
        filled('<img src="data:image/png;base64,AAAA">', "pdf")
    assert filled('{{ organisation.logo | image("4cm") }}') == b""


@pytest.mark.parametrize("asked", ['image("wide")', 'image("4m")', "image(0)", "image(10000)"])
def test_a_width_that_is_none_is_said(asked: str) -> None:
    with pytest.raises(RecordInvalid) as refused:
        filled(f'{{{{ images["photo.png"] | {asked} }}}}')
    assert "no width" in str(refused.value.errors["template"][0])
    with pytest.raises(RecordInvalid):
        filled("{{ record.number | image }}")


def test_a_picture_stands_in_a_word_file(tmp_path: Any) -> None:
    word = docx.Document()
    word.add_paragraph('Photo: {{ images["photo.png"] | image("3cm") }} and {{ images["photo.png"] }}')
    path = tmp_path / "a.docx"
    word.save(str(path))
    made = docx.Document(io.BytesIO(filled("", "docx", str(path))))
    assert [round(one.width.mm) for one in made.inline_shapes] == [30, 11]
