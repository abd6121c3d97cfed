"""Who asked: only a known sign of a machine makes one; whoever is unknown counts as a person (RULES D5)."""

import pytest

from newsletter.measurement.rules import Verdict, judge

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.HUMAN),
        ({"user-agent": ""}, Verdict.HUMAN),
        ({"user-agent": FIREFOX}, Verdict.HUMAN),
        ({"user-agent": "Thunderbird/140.0"}, Verdict.HUMAN),
        ({"user-agent": "A program nobody knows/1.0"}, Verdict.HUMAN),
        # Gmail's proxy fetches a picture when its reader opens the mail, so that is an open.
        ({"user-agent": GMAIL}, Verdict.HUMAN),
        # Apple's fetches it whether the mail is opened or not.
        ({"user-agent": "Mozilla/5.0"}, Verdict.PROXY),
        ({"user-agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"}, Verdict.SCANNER),
        ({"user-agent": "Mimecast URL Protect"}, Verdict.SCANNER),
        ({"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, Verdict.SCANNER),
        ({"user-agent": FIREFOX, "sec-purpose": "prefetch;prerender"}, Verdict.SCANNER),
        ({"user-agent": FIREFOX, "purpose": "preview"}, Verdict.SCANNER),
        ({"user-agent": FIREFOX, "x-moz": "prefetch"}, Verdict.SCANNER),
    ],
)
def test_who_asked(headers: dict[str, str], verdict: Verdict) -> None:
    assert judge(headers) is verdict
