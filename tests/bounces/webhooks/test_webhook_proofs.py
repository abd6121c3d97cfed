"""A webhook believes nobody who has not proved to be the service, and says so in one sentence (RULES F8)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlmodel import select

from newsletter.bounces.webhooks.routes import services_of
from newsletter.bounces.webhooks.tables import UsedToken
from newsletter.clock import TurnedClock
from newsletter.errors import MisconfiguredError
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, follows, reports, return_address, sent
from tests.bounces.webhooks.hooked import (
    CERTIFICATE,
    SERVICES,
    SETTINGS,
    Hooked,
    Sent,
    complained,
    dead,
    hooked,
    mailgun,
    postmark,
    sendgrid,
    sns,
)
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer

ANOTHER_RSA, ANOTHER_EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
ARN = "arn:aws:sns:eu-north-1:123456789012:"


@pytest.fixture
async def hooks(sqlite_installation: Installation, peer: SmtpPeer) -> AsyncIterator[Hooked]:
    async with hooked(sqlite_installation) as opened:
        await sent(opened.site.installation, peer, [*people(5), CAROL])
        yield opened


async def refused(hooks: Hooked, service: str, *messages: Sent, status: int = 403) -> None:
    """See that none of the messages is taken, and that nothing follows."""
    for number, message in enumerate(messages):
        answer = await hooks.take(service, message)
        assert (answer.status_code, answer.json()["status"]) == (status, status), (number, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")
    assert await follows(hooks.site.installation) == 0
    assert await reports(hooks.site.installation) == []


def tampered(message: Sent, old: bytes = b"5.1.1", new: bytes = b"5.1.6") -> Sent:
    assert old in message.body
    return replace(message, body=message.body.replace(old, new))


async def test_ses(hooks: Hooked, peer: SmtpPeer) -> None:
    event, now = dead("ses", return_address(peer)), hooks.site.installation.clock.now()
    for version in ("1", "2"):
        proven = sns(event, now, version=version, subject="Amazon SES Email Event Notification")
        await refused(hooks, "ses", tampered(proven), tampered(proven, b"Event Notification", b"Event"))
    asked = len(hooks.amazon.fetched)
    assert asked == 1, "the certificate is kept"
    await refused(
        hooks,
        "ses",
        sns(event, now, key=ANOTHER_RSA),
        sns(event, now, version="3"),
        sns(event, now - timedelta(minutes=66)),
        sns(event, now + timedelta(minutes=6)),
        sns(event, now, TopicArn=f"{ARN}another"),
        sns(event, now, TopicArn="arn:aws:sns:us-east-1:123456789012:others"),
        sns(event, now, kind="Another"),
        *(
            sns(event, now, SigningCertURL=url)
            for url in (
                "https://sns.eu-north-1.amazonaws.com.example.com/a.pem",
                "https://sns.eu-north-1.amazonaws.com@example.com/a.pem",
                "https://sns-eu-north-1.amazonaws.com/a.pem",
                CERTIFICATE.replace("eu-north-1", "us-east-1"),
                CERTIFICATE.replace("https", "http"),
                CERTIFICATE.replace(".com/", ".com:8443/"),
                CERTIFICATE + "?a.pem",
                CERTIFICATE.replace("Simple", "../Simple"),
            )
        ),
        Sent(b'{"Type": "Notification", "TopicArn": ["a"], "Message": {}}'),
        replace(sns(event, now), headers={"x-amz-sns-rawdelivery": "true"}),
    )
    assert len(hooks.amazon.fetched) == asked, "nothing is fetched from anywhere else"
    # One that was sent again for an hour, as topics sign where nobody chose.
    late = sns(event, now - timedelta(minutes=59), version="1", subject="Amazon SES Email Event Notification")
    assert (await hooks.take("ses", late)).status_code == 200


async def test_strangers_can_not_make_us_fetch_without_end(hooks: Hooked, peer: SmtpPeer) -> None:
    event, now = dead("ses", return_address(peer)), hooks.site.installation.clock.now()
    asked = [sns(event, now, key=ANOTHER_RSA, SigningCertURL=f"{CERTIFICATE[:-4]}{number}.pem") for number in range(40)]
    statuses = [(await hooks.take("ses", message)).status_code for message in asked]
    assert statuses == [403] * 10 + [503] * 30
    assert len(hooks.amazon.fetched) == 10
    clock = hooks.site.installation.clock
    assert isinstance(clock, TurnedClock)
    clock.turn(clock.now() + timedelta(minutes=1))
    assert (await hooks.take("ses", hooks.signed("ses", event))).status_code == 200


async def test_postmark(hooks: Hooked, peer: SmtpPeer) -> None:
    event, now = dead("postmark", return_address(peer)), hooks.site.installation.clock.now()
    right = postmark(event, now)
    bearer = right.headers["authorization"].replace("Basic", "Bearer")
    others = [postmark(event, now, password=given) for given in ("postmark:wrong", "other:a password of tests", ":")]
    nothing = [
        replace(right, headers=headers) for headers in ({}, {"authorization": bearer}, {"authorization": "Basic"})
    ]
    await refused(hooks, "postmark", *others, *nothing, status=401)
    assert (await hooks.take("postmark", nothing[0])).headers["www-authenticate"].startswith("Basic")


async def test_sendgrid(hooks: Hooked, peer: SmtpPeer) -> None:
    event, now = dead("sendgrid", return_address(peer)), hooks.site.installation.clock.now()
    right = sendgrid(event, now)
    names = list(right.headers)
    await refused(
        hooks,
        "sendgrid",
        tampered(right),
        sendgrid(event, now, key=ANOTHER_EC),
        sendgrid(event, now - timedelta(seconds=301)),
        sendgrid(event, now + timedelta(seconds=301)),
        Sent(right.body),
        Sent(right.body, {**right.headers, names[0]: "not base64"}),
        Sent(right.body, {**right.headers, names[1]: str(int(now.timestamp()) + 1)}),
        Sent(right.body.strip(), right.headers),
    )
    assert (await hooks.take("sendgrid", sendgrid(event, now - timedelta(seconds=299)))).status_code == 200


async def test_mailgun(hooks: Hooked, peer: SmtpPeer) -> None:
    """Its signature does not cover the event: a token that was shown stands before no other event."""
    event, now = dead("mailgun", return_address(peer)), hooks.site.installation.clock.now()
    token = "0123456789abcdef0123456789abcdef0123456789abcdef01"
    await refused(
        hooks,
        "mailgun",
        mailgun(event, now, key="another"),
        mailgun(event, now - timedelta(seconds=301)),
        mailgun(event, now + timedelta(seconds=301)),
        mailgun(event, now, token="short"),
        tampered(mailgun(event, now, token=token), token.encode(), token[::-1].encode()),
        Sent(b'{"signature": "x", "event-data": {}}'),
    )
    opened = {"event": "opened", "recipient": CAROL}
    assert (await hooks.take("mailgun", mailgun(opened, now, token=token))).status_code == 200
    await refused(hooks, "mailgun", mailgun(event, now, token=token), mailgun(opened, now, token=token), status=406)
    async with hooks.site.installation.database.read() as session:
        assert len((await session.exec(select(UsedToken))).all()) == 1


async def test_what_is_no_message_of_the_service_is_said_to_be_none(hooks: Hooked) -> None:
    now = hooks.site.installation.clock.now()
    key = postmark({}, now).headers
    for body in (b"", b"{", b"[]", b"[" * 100_000, b'{"a": "\xff"}', b'{"a": "\\ud800"}'):
        await refused(hooks, "postmark", Sent(body, key), status=400)
        await refused(hooks, "mailgun", Sent(body), status=400)
        await refused(hooks, "ses", Sent(body), status=400)
    for event in ("bounce", None, 5):
        await refused(hooks, "sendgrid", sendgrid([event], now), status=400)
    for service in SERVICES:
        await refused(hooks, service, Sent(b" " * 1_100_000, key), status=413)
    await refused(hooks, "mailgun", Sent(b" " * 300_000), status=413)
    for method in ("GET", "PUT", "DELETE"):
        assert (await hooks.site.browser.request(method, "/webhooks/ses")).status_code == 405


async def test_a_webhook_is_there_only_where_it_is_set_up(hooks: Hooked, peer: SmtpPeer) -> None:
    settings = hooks.site.installation.settings
    assert (await hooks.take("another", Sent(b"{}"))).status_code == 404
    for service in SERVICES:
        only = settings.model_copy(
            update=dict.fromkeys(SETTINGS, "") | {f"webhook_{service}": SETTINGS[f"webhook_{service}"]}
        )
        hooks.site.app.state.webhooks = services_of(only, hooks.site.installation.clock, hooks.amazon)
        event = complained(service, return_address(peer))
        for each in SERVICES:
            status = (await hooks.take(each, hooks.signed(service, event))).status_code
            assert status == (200 if each == service else 404), (each, service)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ses", "topics-of-ours"),
        ("ses", f"{ARN}bounces, https://example.com"),
        ("ses", " , "),
        ("postmark", "a password"),
        ("postmark", ":let me in"),
        ("postmark", "olga:"),
        ("sendgrid", "not a key"),
        ("sendgrid", "AAAA"),
        ("mailgun", "two words"),
    ],
)
def test_a_wrong_setting_stops_the_program_and_is_not_shown(
    sqlite_installation: Installation, name: str, value: str
) -> None:
    settings = sqlite_installation.settings.model_copy(update={f"webhook_{name}": value})
    with pytest.raises(MisconfiguredError, match=f"NEWSLETTER_WEBHOOK_{name.upper()}") as raised:
        services_of(settings, sqlite_installation.clock)
    assert value not in str(raised.value)
    assert value not in repr(settings)
    without = sqlite_installation.settings.model_copy(update={**SETTINGS, "bounce_domain": ""})
    with pytest.raises(MisconfiguredError, match="NEWSLETTER_BOUNCE_DOMAIN"):
        services_of(without, sqlite_installation.clock)
