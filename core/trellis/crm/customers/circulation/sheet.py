"""The sheet of sign-off: a PDF of its own beside the file, which stays as it was signed."""

from __future__ import annotations

from trellis.crm.customers.circulation import circulating, files
from trellis.crm.customers.circulation.panels import rounds
from trellis.documents.making import PDF, fill
from trellis.i18n import current_language, format_datetime, translator
from trellis.records.door import Records

_ = translator("trellis")

_TEMPLATE = """<h1>{{ title }}</h1>
<table>{% for name, value in facts %}<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}</table>
<h2>{{ versions.title }}</h2>
{% for one in versions.rows %}<p><b>{{ one.what }}</b><br><small>SHA-256 {{ one.sha256 }}</small></p>{% endfor %}
<h2>{{ steps.title }}</h2>
<table><thead><tr>{% for head in steps.heads %}<th>{{ head }}</th>{% endfor %}</tr></thead>
{% for row in steps.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>"""


def sheet(records: Records, document: int) -> bytes:
    """Who approved and signed which bytes, and when, in the reader's language. Raises RecordNotFound."""
    record = files.opened(records, document)
    steps = circulating.steps_of(records, document)
    title = str(_("Sign-off of %(number)s", number=record.values["number"]))
    facts = [(_("Title"), record.values["title"]), (_("About"), record.values["about"] or "")]
    data = {
        "title": title,
        "facts": [[str(name), value] for name, value in facts if value],
        "versions": {
            "title": str(_("Versions")),
            "rows": [
                {
                    "what": str(
                        _(
                            "Version %(number)s, %(at)s, %(who)s",
                            number=one.row.number,
                            at=format_datetime(one.row.made_at),
                            who=one.row.made_by,
                        )
                    ),
                    "sha256": one.row.sha256,
                }
                for one in files.versions(records.session, document)
            ],
        },
        "steps": {
            "title": str(_("Approval")),
            "heads": [str(one) for one in (_("Who"), _("Step"), _("Decision"), _("When"), _("SHA-256"))],
            "rows": [
                [one["who"], one["name"], one["state"], one["at"], one["sha256"][:16]]
                for found in rounds(records, steps)
                for one in found["steps"]
            ],
        },
        "organisation": {"currency": records.edition.settings.currency},
    }
    asked = {
        "format": PDF,
        "language": current_language(),
        "title": title,
        "template": _TEMPLATE,
        "data": data,
    }
    return fill(asked)
