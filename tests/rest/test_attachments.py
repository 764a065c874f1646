"""Files at records: kept with rights of their record, never run or shown, moved by a merge and gone after an erasure."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from flask import Flask
from trellis import attachments, privacy
from trellis.attachments import AttachmentPart
from trellis.installation import Installation
from trellis.quality.merging import merge, unmerge
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

PDF = b"%PDF-1.7 offer"


def send(client: Client, place: str, name: str, data: bytes) -> object:
    return client.http.post(
        f"{client.base}{place}",
        data={"file": (io.BytesIO(data), name)},
        headers={"Authorization": f"Bearer {client.token}"},
    )


def test_a_file_is_attached_read_and_removed_over_rest(client: Client) -> None:
    anna = client.create("customer", name="Anna")
    place = f"/customer/{anna}/files"
    made = send(client, place, "../../etc/Offer\u202efdp.pdf", PDF)
    assert made.status_code == 201, made.json
    assert (made.json["name"], made.json["size"], made.json["media_type"]) == (
        "Offerfdp.pdf",
        len(PDF),
        "application/pdf",
    )
    (listed,) = client.get(place).json["items"]
    assert listed["id"] == made.json["id"] and listed["added_by"] == client.user_id
    got = client.get(f"{place}/{listed['id']}")
    assert got.data == PDF and got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == "attachment; filename=Offerfdp.pdf"
    assert len(send(client, place, "a." + "b" * 250, PDF).json["name"]) == 200
    boris = client.create("customer", name="Boris")
    assert client.get(f"/customer/{boris}/files/{listed['id']}").status_code == 404
    assert client.delete(f"{place}/{listed['id']}").status_code == 204
    assert len(client.get(place).json["items"]) == 1


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("shop.png", b"\x89PNG\r\n"),
        ("Shop.JPG", b"\xff\xd8\xff\xe0"),
        ("plan.docx", b"PK\x03\x04"),
        ("locked.docx", b"\xd0\xcf\x11\xe0"),
        ("offer.pdf", b"%PDF-1.7\n"),
        ("call.mp3", b"ID3"),
    ],
)
def test_files_of_the_usual_kinds_are_kept_as_they_are(client: Client, name: str, start: bytes) -> None:
    place = f"/customer/{client.create('customer', name='Anna')}/files"
    data = start + bytes(range(256)) * 4
    made = send(client, place, name, data)
    assert made.status_code == 201, made.text
    assert client.get(f"{place}/{made.json['id']}").data == data


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("photo.png", b"MZ\x00\x01", "the content is EXE"),
        ("photo.jpg", b"\x89PNG\x00", "the content is PNG"),
        ("virus.exe", b"MZ", "Programs are not kept here"),
        ("virus.exe .", b"MZ", "Programs are not kept here"),
        ("empty.txt", b"", "The file is empty"),
        ("offer.xlsx", PDF, "the content is PDF"),
        ("\u202e", b"x", "The file has no name"),
    ],
)
def test_what_is_not_taken_is_said(client: Client, name: str, data: bytes, problem: str) -> None:
    place = f"/customer/{client.create('customer', name='Anna')}/files"
    refused = send(client, place, name, data)
    assert refused.status_code == 422 and problem in refused.json["errors"]["file"][0]
    assert client.get(place).json["items"] == []


def test_files_follow_the_rights_of_their_record(
    app: Flask, client: Client, installation: Installation, workspace: Workspace
) -> None:
    anna = client.create("customer", name="Anna")
    number = send(client, f"/customer/{anna}/files", "a.txt", b"secret").json["id"]
    reader = open_client(app, installation, workspace, "reader@acme.test", ["reader"])
    assert reader.get(f"/customer/{anna}/files/{number}").data == b"secret"
    assert send(reader, f"/customer/{anna}/files", "b.txt", b"x").status_code == 403
    assert reader.delete(f"/customer/{anna}/files/{number}").status_code == 403
    client.delete(f"/customer/{anna}")
    assert reader.get(f"/customer/{anna}/files/{number}").status_code == 404


def test_files_move_with_a_merge_and_go_with_an_erasure(workspace: Workspace, tmp_path: object) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        anna, double = (records.create("customer", {"name": name}).id for name in ("Anna", "Ana"))
        path = tmp_path / "file"  # type: ignore[operator]
        path.write_bytes(b"x" * 3_000_000)
        attachments.add(records, "customer", double, "photo.bin", path)
        merge(records, "customer", anna, double)
        (moved,) = attachments.of(records, "customer", anna)
        assert sum(map(len, attachments.content(session, moved))) == 3_000_000
        unmerge(records, "customer", double)
        assert [one.name for one in attachments.of(records, "customer", double)] == ["photo.bin"]
        assert attachments.of(records, "customer", anna) == []
        privacy.erase(records, "customer", double, "Ana")
        assert attachments.of(records, "customer", double) == []
        assert session.scalar(sa.select(sa.func.count()).select_from(AttachmentPart)) == 0
