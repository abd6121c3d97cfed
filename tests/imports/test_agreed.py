"""People who agreed elsewhere are taken in with the evidence of it (RULES H7)."""

from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription
from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind
from newsletter.imports.tables import ImportState
from newsletter.installation import Installation
from newsletter.subscribers import actions as subscribers
from newsletter.subscribers.tables import Subscription
from tests.imports.files import (
    SAID,
    bring_in,
    carry_out,
    counts,
    open_weekly,
    people,
    prepare,
    refused,
    subscribed,
    table,
)

HEADER = ("E-post", "Fornavn", "Etternavn", "Tittel", "Language", "agreed_at")


async def test_each_is_subscribed_with_an_agreement_that_says_where_from(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    rows = [
        ("Kari@Example.com", "Kari", "Nordmann", "Redaktør", "en", "2024-05-17"),
        ("åse@example.com", "Åse", "", "", "", ""),
    ]
    job = await bring_in(installation, weekly, table(HEADER, rows))
    assert (job.state, counts(job)) == (
        ImportState.FINISHED,
        {"rows": 2, "accepted": 2, "known": 0, "refused": 0, "withheld": 0},
    )
    found = await subscribed(installation, weekly)
    kari = found["Kari@example.com"]
    assert (kari.given_name, kari.title, kari.language) == ("Kari", "Redaktør", "en")
    assert found["åse@example.com"].language == "nb"
    async with installation.database.read() as session:
        query = select(Agreement, AgreementEvent).join(
            AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id)
        )
        evidence = (await session.exec(query.order_by(col(AgreementEvent.detail).desc()))).all()
    assert len(evidence) == 2
    agreement, event = next(pair for pair in evidence if "2024" in (pair[1].detail or ""))
    assert event.kind == EventKind.IMPORTED
    assert event.detail == f"import {job.id}, agreed 2024-05-17T00:00:00Z"
    assert (agreement.source, agreement.gdpr_basis, agreement.witnessed) == (SAID["source"], "6(1)(a)", False)
    assert agreement.evidence_hash == job.file_hash


async def test_a_second_time_changes_nothing(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    await bring_in(installation, weekly, people(3))
    again = await bring_in(installation, weekly, people(4))
    assert (again.accepted, again.known) == (1, 3)
    async with installation.database.read() as session:
        assert len((await session.exec(select(Agreement))).all()) == 4


async def test_what_is_known_of_somebody_is_not_overwritten_only_filled_in(installation: Installation) -> None:
    weekly, monthly = await open_weekly(installation), await open_weekly(installation, "monthly")
    header = ("email", "given_name", "employer")
    await bring_in(installation, weekly, table(header, [("kari@example.com", "Kari", "")]))
    job = await bring_in(installation, monthly, table(header, [("kari@example.com", "Karoline", "Example Books AS")]))
    assert job.accepted == 1
    kari = (await subscribed(installation, monthly))["kari@example.com"]
    assert (kari.given_name, kari.employer) == ("Kari", "Example Books AS")
    assert (await subscribed(installation, weekly)).keys() == {"kari@example.com"}


async def test_whoever_left_is_never_brought_back_nor_named(installation: Installation) -> None:
    """Alice left the one newsletter she had, Bob one of two."""
    weekly, monthly = await open_weekly(installation), await open_weekly(installation, "monthly")
    both = table(("email",), [("bob@example.com",)])
    await bring_in(installation, weekly, table(("email",), [("alice@example.com",), ("bob@example.com",)]))
    await bring_in(installation, monthly, both)
    for person in ("alice@example.com", "bob@example.com"):
        async with installation.database.write() as session:
            subscription = await subscribers.active_subscription(session, weekly.id, read_address(person).canonical)
            assert subscription is not None
            await end_subscription(
                session, installation, subscription.id, Cause.WITHDRAWN, Origin("subject", "one-click")
            )
    job = await bring_in(installation, weekly, people(1) + b"alice@example.com\r\nbob@example.com\r\n")
    assert (job.accepted, job.withheld, job.refused) == (1, 2, 0)
    assert (await subscribed(installation, weekly)).keys() == {"reader0@example.com"}
    assert await refused(installation, job) == {}
    async with installation.database.read() as session:
        states = (await session.exec(select(Subscription.state).where(Subscription.newsletter_id == weekly.id))).all()
    assert sorted(states) == ["active", "ended"]


async def test_a_dry_run_changes_nothing_and_says_what_would_be(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    import_id = await prepare(installation, weekly, people(3) + b"nobody,,,\r\nreader1@example.com,,,\r\n")
    checked = await carry_out(installation, import_id, "check")
    assert (checked.state, checked.accepted, checked.refused) == (ImportState.CHECKED, 3, 2)
    assert await refused(installation, checked) == {5: "bad_address", 6: "repeated"}
    assert await subscribed(installation, weekly) == {}
    done = await carry_out(installation, import_id)
    assert (done.state, done.accepted, done.refused) == (ImportState.FINISHED, 3, 2)
    assert len(await subscribed(installation, weekly)) == 3


async def test_a_file_that_was_dealt_with_lies_there_no_longer(installation: Installation) -> None:
    weekly = await open_weekly(installation)
    await bring_in(installation, weekly, people(2))
    assert [path.name for path in (installation.settings.data_dir / "imports").iterdir()] == []
