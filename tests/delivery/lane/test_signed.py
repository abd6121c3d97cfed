"""With a signer each mail of a mailing leaves signed, once, and one that can't be signed holds up nobody else (G6)."""

from collections import Counter
from collections.abc import Iterator

import pytest

from newsletter.delivery.tables import MailingState
from newsletter.installation import Installation
from newsletter.mail.dkim.keys import SigningDomain, SigningKey, new_key
from newsletter.mail.dkim.signing import Signer, UnsignableMail
from tests.delivery.cast import finish, mailing_to, people, results, standing, worker
from tests.mail.dkim.signature_check import check
from tests.support.peer import SmtpPeer

DOMAIN = SigningDomain("example.com", (SigningKey("s1", new_key()), SigningKey("e1", new_key(ed25519=True))))


class ParticularSigner(Signer):
    """Finds the mail to `unsignable` to be none."""

    unsignable = b"nobody@example.com"

    async def sign(self, contents: list[bytes]) -> list[bytes]:  # type: ignore[override]  # narrower: it is given lists
        if any(self.unsignable in content for content in contents):
            raise UnsignableMail
        return await super().sign(contents)


@pytest.fixture
def signer(installation: Installation) -> Iterator[ParticularSigner]:
    opened = ParticularSigner(DOMAIN, installation.clock)
    yield opened
    opened.close()


async def test_each_mail_arrives_signed_once(
    installation: Installation, peer: SmtpPeer, signer: ParticularSigner
) -> None:
    mailing = await mailing_to(installation, people(60))
    peer.hang_up("@bounces.example.com", stage="MAIL", times=1)
    async with worker(installation, peer, 4, lanes=2, largest=25, signer=signer) as sender:
        await sender.work_on(mailing.id)
    assert peer.counted() == Counter(people(60))
    records = dict(DOMAIN.records())
    for mail in peer.mails:
        assert [(each.tags["a"], each.holds) for each in check(mail.content, records)] == [
            ("rsa-sha256", True),
            ("ed25519-sha256", True),
        ]


async def test_one_that_can_t_be_signed_holds_up_nobody_else(
    installation: Installation, peer: SmtpPeer, signer: ParticularSigner
) -> None:
    mailing = await mailing_to(installation, people(20))
    signer.unsignable = b"reader007@example.com"
    async with worker(installation, peer, 20, signer=signer) as sender:
        await sender.work_on(mailing.id)
    await finish(installation)
    assert peer.counted() == Counter(set(people(20)) - {"reader007@example.com"})
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.refused) == (MailingState.FINISHED, 19, 1)
    [result] = await results(installation, mailing, "reader007@example.com")
    assert (result.outcome, result.stage) == ("refused", "write")
