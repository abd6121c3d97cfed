"""What is said of a browser: enough to know one's own by, and no more."""

import pytest

from newsletter.editors.signing_in.devices import device

BEGINS = "Mozilla/5.0 "


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (BEGINS + "(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            BEGINS + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36"
            " Edg/140",
            "Edge on Windows",
        ),
        (BEGINS + "(iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        (BEGINS + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        (BEGINS + "(Linux; Android 14; Pixel 8) Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.9", ""),
        ("", ""),
        ("<script>alert(1)</script> on Linux", "Linux"),
    ],
)
def test_a_browser_is_named_with_its_system(said: str, expected: str) -> None:
    assert device(said) == expected
