"""Passkeys in a real browser, with a virtual authenticator: made, signed in with, asked for as the second factor."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from trellis.config import Config
from trellis.control import BrowserSession
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.web.app import create_app
from web.conftest import PASSWORD
from werkzeug.serving import make_server


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(Config(home=tmp_path_factory.mktemp("site")))
    workspace = installation.create_workspace("acme", Settings(title="Acme"))
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def site(installation: Installation) -> Iterator[str]:
    """A running server under the name that browsers trust without https."""
    server = make_server("127.0.0.1", 0, create_app(installation), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def device(browser_page: Page) -> Callable[..., list[dict[str, Any]]]:
    """Speaks to a device that keeps passkeys, plugged into the browser."""
    session = browser_page.context.new_cdp_session(browser_page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    number = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def say(command: str = "getCredentials", **more: Any) -> list[dict[str, Any]]:
        answer = session.send(f"WebAuthn.{command}", {"authenticatorId": number, **more})
        return list(answer.get("credentials", []))

    return say


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/acme/login")
    page.fill("input[name=email]", "anna@acme.test")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")


def test_a_passkey_is_made_signs_in_alone_and_is_the_second_factor(
    site: str,
    browser_page: Page,
    device: Callable[..., list[dict[str, Any]]],
    installation: Installation,
    accessibility_faults: Callable[[Page], list[str]],
) -> None:
    page = browser_page
    sign_in(page, site)
    expect(page).to_have_url(f"{site}/acme/")
    page.goto(f"{site}/acme/profile/second-factor")
    expect(page.locator("svg.qr")).to_be_visible()
    assert accessibility_faults(page) == []
    page.goto(f"{site}/acme/profile")
    page.fill("form[data-passkey] input[name=name]", "Anna's laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("ul.codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("#second-factor")).to_contain_text("Anna's laptop")
    assert accessibility_faults(page) == []
    (kept,) = device()
    assert (kept["rpId"], kept["isResidentCredential"]) == ("localhost", True)
    page.fill("form[data-passkey] input[name=name]", "Again")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_be_visible()  # the device has one of hers already

    page.context.clear_cookies()
    page.goto(f"{site}/acme/login?next=/acme/customer")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{site}/acme/customer")
    expect(page.locator("h1")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page, site)
    expect(page).to_have_url(re.compile("/acme/login/second"))
    assert accessibility_faults(page) == []
    assert page.request.get(f"{site}/acme/customer", max_redirects=0).status == 303
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{site}/acme/")
    expect(page.locator("h1")).to_contain_text("Anna")

    with installation.control.write() as session:
        session.execute(sa.update(BrowserSession).values(proved_at=None))
    page.goto(f"{site}/acme/profile/second-factor")
    expect(page).to_have_url(re.compile("/acme/confirm"))
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{site}/acme/profile/second-factor")
    page.goto(f"{site}/acme/profile")
    page.locator("#second-factor").get_by_role("button", name="Remove").click()
    expect(page.locator("#second-factor")).not_to_contain_text("Anna's laptop")
    sign_out_and_fail(page, site)


def sign_out_and_fail(page: Page, site: str) -> None:
    """The device still has its key; the server does not know it any more."""
    page.context.clear_cookies()
    page.goto(f"{site}/acme/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("does not open anything here")
