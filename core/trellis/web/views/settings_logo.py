"""Settings: the logo of the organisation, which documents may show."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.documents import images
from trellis.errors import RecordInvalid
from trellis.i18n import format_number, translator
from trellis.uploads import MB, too_large
from trellis.web import uploads
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, sentences
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_logo", __name__)
blueprint.before_request(only_administrators)


@blueprint.get("/<workspace>/settings/logo")
def show(workspace: str) -> str:
    return _page(uploads.refusal())


@blueprint.post("/<workspace>/settings/logo")
def keep(workspace: str) -> BaseResponse | tuple[str, int]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _page([str(_("Choose a file"))]), 422
    with TemporaryDirectory(prefix="trellis-logo-") as folder:
        path = Path(folder) / "file"
        sent.save(path)
        try:
            images.keep_logo(g.session, path, g.actor)
        except RecordInvalid as error:
            return _page(sentences(error)), 422
    toast(_("Saved"))
    return go(f"{base()}/settings/logo")


@blueprint.post("/<workspace>/settings/logo/remove")
def remove(workspace: str) -> BaseResponse:
    images.forget_logo(g.session, g.actor)
    toast(_("The logo is removed"))
    return go(f"{base()}/settings/logo")


def _page(problems: list[str]) -> str:
    found = images.logo(g.session)
    kind = "jpeg" if found and found["format"] == "jpg" else "png"
    most = images.LARGEST
    logo = {
        "action": f"{base()}/settings/logo",
        "source": f"data:image/{kind};base64,{found['data']}" if found else "",
        "problems": problems,
        "largest": most,
        "too_large": str(too_large(most // MB)),
        "limit": str(_("PNG or JPEG, %(number)s MB at most", number=format_number(most // MB))),
    }
    return settings_page("settings/logo.html", "logo", _("Logo"), logo=logo)
