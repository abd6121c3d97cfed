"""A mail carries what its sending service will tell us again, where that webhook is set up, and else not."""

import json
from dataclasses import replace
from functools import partial

import pytest

from newsletter.delivery import return_address
from newsletter.delivery.return_address import ReturnedDelivery, read
from newsletter.installation import Installation
from newsletter.mail.dkim.keys import SigningDomain, SigningKey, new_key
from newsletter.mail.dkim.signing import Signer
from newsletter.mail.echoes import echoes_of
from newsletter.mail.outbox import Outbox
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.worker.letters import writers
from tests.bounces.coming_back import CAROL
from tests.bounces.webhooks.hooked import SETTINGS
from tests.delivery.cast import mailing_to, people, worker
from tests.mail.dkim.signature_check import check
from tests.signup.site import open_site
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer

HEADERS = ("X-SES-MESSAGE-TAGS", "X-PM-Metadata-delivery", "X-SMTPAPI", "X-Mailgun-Variables")
DOMAIN = SigningDomain("example.com", (SigningKey("s1", new_key()),))


def told(mail: ReceivedMail) -> set[str]:
    """Give what each service will tell us of a mail, after reading its own header as it documents."""
    tags, metadata, api, variables = (" ".join(str(mail.message[name]).split()) for name in HEADERS)
    return {
        tags.partition("delivery=")[2],
        metadata,
        json.loads(api)["unique_args"]["delivery"],
        json.loads(variables)["delivery"],
    }


def set_up(opened: Installation, *names: str) -> Installation:
    given = {name: SETTINGS[name] for name in names or SETTINGS}
    return replace(opened, settings=opened.settings.model_copy(update=given))


async def test_each_mail_of_a_mailing_names_its_own_delivery_to_the_service(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    installation = set_up(sqlite_installation)
    mailing = await mailing_to(installation, [*people(3), CAROL])
    signer = Signer(DOMAIN, installation.clock)
    async with worker(installation, peer, signer=signer) as sender:
        await sender.work_on(mailing.id)
    signer.close()
    for mail in peer.mails:
        (named,) = told(mail)
        assert named == mail.sender.partition("@")[0]
        aim = read(installation.keys, installation.settings.bounce_domain, named, installation.clock.now())
        assert isinstance(aim, ReturnedDelivery)
        assert aim.mailing_id == mailing.id
        (signature,) = check(mail.content, dict(DOMAIN.records()))
        assert signature.holds
        assert not [name for name in HEADERS if name.lower() in signature.tags["h"].lower().split(":")]
    assert len({mail.sender for mail in peer.mails}) == 4
    assert max(len(line) for mail in peer.mails for line in mail.content.split(b"\r\n")) <= 998


@pytest.mark.parametrize("name", [None, *SETTINGS])
async def test_only_the_service_that_is_set_up_is_told(
    sqlite_installation: Installation, peer: SmtpPeer, name: str | None
) -> None:
    installation = set_up(sqlite_installation, name) if name else sqlite_installation
    mailing = await mailing_to(installation, [CAROL])
    async with worker(installation, peer) as sender:
        await sender.work_on(mailing.id)
    present = [header for header in HEADERS if header in peer.mails[-1].message]
    assert present == ([HEADERS[list(SETTINGS).index(name)]] if name else [])


async def test_letters_name_themselves_too(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    async with open_site(set_up(sqlite_installation)) as site:
        installation = site.installation
        await site.ask(CAROL)
        lines = Lines(Routes((read_relay(peer.url),), {}), 2, "news.example.com")
        returning = partial(return_address.for_letter, installation)
        await Outbox(
            installation.database,
            installation.clock,
            lines,
            writers(installation),
            return_address=returning,
            echoes=echoes_of(installation.settings),
        ).mail_waiting()
        await lines.close()
    assert told(peer.mails[-1]) == {peer.mails[-1].sender.partition("@")[0]}
