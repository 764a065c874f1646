"""What makes a password good."""

from __future__ import annotations

import pytest
from trellis.errors import RecordInvalid
from trellis.security.passwords import require_good_password

EMAIL = "anna.petrova@halden.test"


@pytest.mark.parametrize(
    ("password", "fix"),
    [
        ("short words", "12 characters"),
        ("y" * 201, "at most 200"),
        ("passwordpassword", "easily guessed"),
        ("qwertyuiop123", "easily guessed"),
        ("йцукенгшщзхъ", "easily guessed"),
        ("парольпароль", "easily guessed"),
        ("Password123!", "easily guessed"),
        ("haldenhalden", "easily guessed"),
        ("xx anna.petrova@halden.test", "mail address"),
        ("my anna.petrova lives", "mail address"),
    ],
)
def test_bad_passwords_are_refused_with_the_way_to_mend_them(password: str, fix: str) -> None:
    with pytest.raises(RecordInvalid) as refused:
        require_good_password(password, EMAIL)
    assert fix in str(refused.value)


@pytest.mark.parametrize(
    "password", ["a long password", "синяя лампа на крыше", "trellis-demo", "лампа quartz зебра boat " * 8]
)
def test_good_ones_are_taken(password: str) -> None:
    require_good_password(password, EMAIL)
