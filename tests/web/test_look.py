"""The look keeps its own rules: no inline code, no unknown icon, colour or file, in any template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trellis
from jinja2 import Environment, FileSystemLoader, nodes

WEB = Path(trellis.__file__).parent / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
STYLES = sorted((WEB / "static/css").glob("*.css"))
SCRIPTS = sorted((WEB / "static/js").glob("*.js"))
SPRITE = WEB / "static/vendor/lucide/sprite.svg"

INLINE = re.compile(
    r"""\s(style|on[a-z]+)\s*=\s*["']|<style|<script(?![^>]*\ssrc=)|javascript:|hx-on|["']js:"""
)
ICON_IN_PYTHON = re.compile(r"""(?:\bicon=|"icon": )"([a-z0-9-]+)\"""")


def icons_of(template: Path) -> set[str]:
    """The icon names that a template gives to ``icon()`` and to the components with an icon."""
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(template.read_text())
    found: set[str] = set()
    for call in tree.find_all(nodes.Call):
        name = getattr(call.node, "name", "")
        where = {"icon": 0, "button": 1, "icon_button": 1, "opener": 2, "note": 1}.get(name)
        given = [call.args[where]] if where is not None and len(call.args) > where else []
        given += [one.value for one in call.kwargs if one.key == "icon_name"]
        for value in given:
            choices = [value.expr1, value.expr2] if isinstance(value, nodes.CondExpr) else [value]
            found |= {one.value for one in choices if isinstance(one, nodes.Const) and one.value}
    return found


def known_icons() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_template_has_no_inline_code(template: Path) -> None:
    assert not INLINE.findall(template.read_text())


def test_every_icon_of_the_templates_exists() -> None:
    used = {name: path.name for path in TEMPLATES for name in icons_of(path)}
    assert {name: where for name, where in used.items() if name not in known_icons()} == {}


def test_every_icon_named_in_python_exists() -> None:
    package = Path(trellis.__file__).parent
    used = {
        name: path.name for path in package.rglob("*.py") for name in ICON_IN_PYTHON.findall(path.read_text())
    }
    assert {name: where for name, where in used.items() if name not in known_icons()} == {}


def test_every_template_that_is_named_exists() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], loader=FileSystemLoader(WEB / "templates"))
    known = set(environment.list_templates())
    for path in TEMPLATES:
        tree = environment.parse(path.read_text())
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport)):
            if isinstance(node.template, nodes.Const):
                assert node.template.value in known, f"{path.name} names {node.template.value}"


def test_every_role_that_styles_use_is_a_token() -> None:
    tokens = set(re.findall(r"^\s*(--[\w-]+):", "\n".join(path.read_text() for path in STYLES), re.MULTILINE))
    used = {name for path in STYLES for name in re.findall(r"var\((--[\w-]+)", path.read_text())}
    assert used - tokens == set()


MEANT = {"plain.css": ("#fff",), "documents.css": ("#fff",)}
"""A code to be read by a camera is black on white in the dark too, and so is the logo on paper."""


def test_only_the_tokens_name_colours() -> None:
    for path in STYLES:
        if path.name not in ("tokens.css", "print.css"):
            found = set(re.findall(r"#[0-9a-f]{3,8}\b", path.read_text()))
            assert found <= {"#000", *MEANT.get(path.name, ())}, path.name  # black of masks


def test_no_class_is_laid_out_by_two_style_sheets() -> None:
    """All are loaded on every page, so a class that two of them begin has two meanings."""
    begun: dict[str, str] = {}
    for path in STYLES:
        if path.name != "print.css":
            for name in set(re.findall(r"^\.([\w-]+) \{", path.read_text(), re.MULTILINE)):
                assert begun.setdefault(name, path.name) == path.name, name


def test_every_style_and_script_is_loaded() -> None:
    named = set(
        re.findall(r'"([a-z]+)"|css/([a-z]+)\.css', "\n".join(path.read_text() for path in TEMPLATES))
    )
    assert {path.stem for path in STYLES} <= {first or second for first, second in named}
    imported = set(re.findall(r'from "\./(\w+)\.js"', "\n".join(path.read_text() for path in SCRIPTS)))
    assert imported | {"app"} == {path.stem for path in SCRIPTS}
