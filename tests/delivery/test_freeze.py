"""The audience is frozen when a mailing begins: who is active and may be mailed, in an order that tells nothing."""

from sqlmodel import col, select

from newsletter.delivery import actions
from newsletter.delivery.rules import BLOCK_SIZE
from newsletter.delivery.tables import Block, Delivery, MailingState
from newsletter.installation import Installation
from newsletter.subscribers.tables import DeadSignal, Subscriber, Subscription
from tests.delivery.cast import begin, finish, found, mailing_to, people, standing, subscribe, unsubscribe


async def frozen(installation: Installation, mailing_id: str) -> list[str]:
    async with installation.database.read() as session:
        query = (
            select(Subscriber.email)
            .join(Subscription, col(Subscription.subscriber_id) == Subscriber.id)
            .join(Delivery, col(Delivery.subscription_id) == Subscription.id)
            .where(Delivery.mailing_id == mailing_id)
            .order_by(col(Delivery.number))
        )
        return list((await session.exec(query)).all())


async def test_the_audience_is_who_is_active_and_may_be_mailed(installation: Installation) -> None:
    """Alice is subscribed, Bob left but reads another newsletter, Carol's address is dead (RULES E3)."""
    books, music = await found(installation), await found(installation, "music")
    await subscribe(installation, books, ["alice@example.com", "bob@example.com", "carol@example.com"])
    await unsubscribe(installation, "bob@example.com")
    await subscribe(installation, music, ["bob@example.com", "dora@example.com"])
    async with installation.database.write() as session:
        carol = (await session.exec(select(Subscriber.id).where(Subscriber.email == "carol@example.com"))).one()
        session.add(DeadSignal(subscriber_id=carol, domain_tag="t", enhanced="5.1.1", at=installation.clock.now()))
    mailing = await begin(installation, books)
    assert await frozen(installation, mailing.id) == ["alice@example.com"]
    assert mailing.audience == 1


async def test_the_order_is_random(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(50))
    order = await frozen(installation, mailing.id)
    assert sorted(order) == people(50)
    assert order != people(50)


async def test_it_is_cut_into_blocks_without_gap_or_overlap(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(2 * BLOCK_SIZE + 7))
    async with installation.database.read() as session:
        blocks = (await session.exec(select(Block).order_by(col(Block.number)))).all()
    ranges = [(block.first, block.last) for block in blocks]
    assert ranges == [(0, BLOCK_SIZE - 1), (BLOCK_SIZE, 2 * BLOCK_SIZE - 1), (2 * BLOCK_SIZE, 2 * BLOCK_SIZE + 6)]
    assert (await standing(installation, mailing)).queued == 2 * BLOCK_SIZE + 7


async def test_nobody_to_mail_is_a_mailing_that_is_done(installation: Installation) -> None:
    mailing = await mailing_to(installation, [])
    await finish(installation)
    assert (await standing(installation, mailing)).state == MailingState.FINISHED


async def test_a_mailing_begins_once_however_many_look(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(3))
    for _ in range(2):
        async with installation.database.write() as session:
            await actions.start_due(session, installation.clock)
    assert len(await frozen(installation, mailing.id)) == 3
