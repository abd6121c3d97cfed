"""Each mail of a mailing has a name of its own, and links that are its reader's and nobody else's (RULES E1, G3)."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from sqlmodel import col, select

from newsletter.installation import Installation
from newsletter.measurement.links import read_click, read_open
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.unsubscribe.actions import read_token
from tests.delivery.cast import mailing_to, people, send
from tests.support.peer import SmtpPeer


def read(content: bytes) -> tuple[EmailMessage, list[str]]:
    """Give a mail, and its two parts as they are read."""
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail, [str(part.get_content()) for part in mail.iter_parts() if isinstance(part, EmailMessage)]


async def test_each_can_leave_by_their_own_link_only(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(sqlite_installation, people(3))
    await send(sqlite_installation, peer, mailing)
    query = select(Subscriber.email, Subscription.id).join(
        Subscription, col(Subscription.subscriber_id) == col(Subscriber.id)
    )
    async with sqlite_installation.database.read() as session:
        subscriptions = dict((await session.exec(query)).all())
    for email in people(3):
        mail, parts = read(peer.mails_to(email)[0].content)
        found = [re.findall(r"/unsubscribe/([\w-]+)", where) for where in (mail["List-Unsubscribe"], *parts)]
        assert {read_token(sqlite_installation.keys, token) for each in found for token in each} == {
            subscriptions[email]
        }
        assert [len(each) for each in found] == [1, 1, 1]


async def test_no_two_mails_share_a_name_or_a_nonce(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    keys, mailing = sqlite_installation.keys, await mailing_to(sqlite_installation, people(3))
    await send(sqlite_installation, peer, mailing)
    names, nonces = set(), set()
    for email in people(3):
        mail, (text, markup) = read(peer.mails_to(email)[0].content)
        names.add(mail["Message-ID"])
        clicks = [
            [read_click(keys, token) for token in re.findall(r"/click/([\w-]+)", part)] for part in (text, markup)
        ]
        (pixel,) = re.findall(r"/open/([\w-]+)\.gif", markup)
        assert [[hit.link for hit in part] for part in clicks] == [[0, 1], [0, 1]]
        of_this_mail = {hit.nonce for part in clicks for hit in part} | {read_open(keys, pixel).nonce}
        assert len(of_this_mail) == 1
        nonces |= of_this_mail
    assert (len(names), len(nonces)) == (3, 3)
