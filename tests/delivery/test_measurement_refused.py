"""Who does not want to be measured gets a mail without pixel and with direct links; who is restricted gets none."""

from sqlalchemy import update
from sqlmodel import col

from newsletter.installation import Installation
from newsletter.subscribers.tables import MeasurementChoice, Subscriber
from tests.delivery import cast
from tests.support.peer import SmtpPeer

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
TARGETS = ["https://example.com/story", "https://example.com/other"]
# A filter that trims: such an issue is written the long way, by Liquid alone.
WHOLE = (
    "Hello {{- given_name -}},\n\nread [the story](https://example.com/story), [the other](https://example.com/other)"
)


async def change(installation: Installation, email: str, **values: object) -> None:
    async with installation.database.write() as session:
        await session.execute(update(Subscriber).where(col(Subscriber.canonical) == email).values(values))


async def test_a_refusal_works_from_the_next_mail_on_and_for_nobody_else(
    installation: Installation, peer: SmtpPeer
) -> None:
    newsletter = await cast.found(installation)
    await cast.subscribe(installation, newsletter, [ALICE, BOB, CAROL])
    await change(installation, ALICE, measurement=MeasurementChoice.REFUSED)
    await change(installation, CAROL, measurement=MeasurementChoice.ALLOWED)
    for body in (cast.BODY, WHOLE):
        seen = len(peer.mails)
        await cast.send(installation, peer, await cast.begin(installation, newsletter, body))
        mails = {mail.recipients[0]: mail for mail in peer.mails[seen:]}
        assert set(mails) == {ALICE, BOB, CAROL}
        assert mails[ALICE].pixel is None
        assert mails[ALICE].links("click") == []
        assert set(TARGETS) <= set(mails[ALICE].links()) & set(mails[ALICE].html_links)
        assert mails[ALICE].links("unsubscribe") != mails[BOB].links("unsubscribe")
        for measured in (BOB, CAROL):
            assert mails[measured].pixel is not None
            assert len(mails[measured].links("click")) == 2
            assert not set(TARGETS) & set(mails[measured].links())


async def test_a_restriction_counts_when_the_audience_is_frozen_and_right_before_the_mail(
    installation: Installation, peer: SmtpPeer
) -> None:
    newsletter = await cast.found(installation)
    await cast.subscribe(installation, newsletter, [ALICE, BOB, CAROL])
    await change(installation, ALICE, restricted_at=installation.clock.now())
    mailing = await cast.begin(installation, newsletter)
    assert (await cast.standing(installation, mailing)).audience == 2
    await change(installation, BOB, restricted_at=installation.clock.now())
    await cast.send(installation, peer, mailing)
    assert [mail.recipients[0] for mail in peer.mails] == [CAROL]
    await cast.finish(installation)
    standing = await cast.standing(installation, mailing)
    assert (standing.state, standing.delivered, standing.withdrawn) == ("finished", 1, 1)
