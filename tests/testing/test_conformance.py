"""The conformance kit finds what is wrong with a plugin, and says it by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import trellis
from samples import gym, plugin, registry
from trellis.i18n import Text
from trellis.plugins import PluginRegistry
from trellis.testing.conformance import check_plugin


def test_the_sample_lacks_only_what_it_left_out(tmp_path: Path) -> None:
    found = check_plugin("gym", tmp_path, registry(gym()))
    assert {finding.check for finding in found} == {
        "has_a_place_in_the_model",
        "speaks_all_languages",
        "loads_its_demo",
    }
    assert "has_a_place_in_the_model: Segment gym.members has no cell" in map(str, found)


def test_a_plugin_that_does_not_fit_is_told_why(tmp_path: Path) -> None:
    bad = plugin("bad", trellis_roles=lambda: [trellis.Role(name="boss", title=Text("Boss"))])
    found = check_plugin("bad", tmp_path, registry(bad))
    assert "must start with “bad.”" in str(found[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["banking", "b2b"])
def test_verticals_without_a_test_of_their_own_pass(tmp_path: Path, name: str) -> None:
    assert check_plugin(name, tmp_path, PluginRegistry()) == []
