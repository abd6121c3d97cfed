"""What a machine may lack, and what the tests do about it: skip, unless everything was asked for."""

import os
from typing import NoReturn

import pytest

REQUIRE_ALL = "NEWSLETTER_TEST_REQUIRE_ALL"


def unavailable(reason: str) -> NoReturn:
    """Skip the test that asked, with `reason`; fail it where NEWSLETTER_TEST_REQUIRE_ALL=1 says nothing may
    be skipped.
    """
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL}=1)", pytrace=False)
    pytest.skip(reason)
