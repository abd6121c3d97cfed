"""Taking everything along: JSON with every declared column that holds something, the signed records, and a print."""

import json
from datetime import timedelta

import httpx
from sqlmodel import SQLModel

from newsletter.clock import TurnedClock
from newsletter.personal import addressed, declarations
from newsletter.rights.access import gather_by_address
from tests.rights.my.visiting import visiting
from tests.signup.site import Site
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer

ALICE = "alice@example.com"
DETAILS = {"given_name": "Alice", "family_name": "Aas", "title": "Editor", "employer": "Example Books"}

# What is found neither by the address nor by what hangs on the person, and why that is right.
TOLD_OTHERWISE = {
    "receipt": "told as a tag",
    "suppression": "told as a tag",
    "tombstone": "told as a tag",
    "limit_address": "told as a tag",
    "limit_bucket": "of a network or a domain, not of a person",
    "editor": "somebody who works here",
    "audit_entry": "somebody who works here",
    "alarm_seen": "somebody who works here",
    "editor_session": "somebody who works here",
    "editor_network": "somebody who works here",
    "sign_in_limit": "of a network or of somebody who works here",
}


async def test_the_json_holds_every_declared_column_that_has_a_value(
    site: Site, peer: SmtpPeer, clock: TurnedClock
) -> None:
    await site.open("monthly")
    await site.subscribe(ALICE, **DETAILS)
    await site.http.post(await site.subscribe(ALICE, "monthly"))
    await site.ask(ALICE, "monthly", **DETAILS)
    clock.turn(clock.now() + timedelta(hours=1))
    async with visiting(site, peer, ALICE) as visit:
        await visit.press("/my/restrict")
        await visit.press("/my/measurement", choice="refused")
        await visit.press("/my/address", email="alice@example.org")
        await mailed(site, peer)
        answer = await visit.http.get("/my/data")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    data = json.loads(answer.text)
    held = {(each["column"], str(each["value"])) for each in data["held"]}
    assert await missing(site, held) == []
    assert all(each["purpose"] and each["retention"] and each["category"] for each in data["held"])
    assert data["person"] | DETAILS == data["person"]
    assert data["person"]["measurement"] == "refused"
    assert [each["newsletter"] for each in data["requests"]] == ["The monthly"]
    assert {tag["purpose"] for tag in data["tags"]} == {"tombstones"}
    assert data["controllers"][0]["name"] == "Example Books AS"
    ended = [each for each in data["subscriptions"] if each["state"] == "ended"]
    assert len(ended) == 1
    for subscription in data["subscriptions"]:
        assert [record["proof"]["type"] for record in subscription["agreements"]] == ["DataIntegrityProof"]


async def missing(site: Site, held: set[tuple[str, str]]) -> list[str]:
    """Give the declared columns with a value that are not in the JSON; Alice is the only person there is."""
    found = []
    async with site.installation.database.read() as session:
        for column, declared in declarations(SQLModel.metadata):
            if column.table.name in TOLD_OTHERWISE:
                continue
            for (value,) in (await session.execute(column.table.select().with_only_columns(column))).all():
                name = f"{column.table.name}.{column.name}"
                same = {seen for place, seen in held if place == name}
                if value not in (None, "") and not any(seen.startswith(str(value)[:10]) for seen in same):
                    found.append(f"{name} ({declared.category})")
    return found


def test_every_declared_column_can_be_gathered() -> None:
    reached = {"subscriber"} | {table.name for table in addressed(SQLModel.metadata)}
    for table in SQLModel.metadata.sorted_tables:
        reached |= {table.name for key in table.foreign_key_constraints if key.referred_table.name in reached}
    declared = {column.table.name for column, _declared in declarations(SQLModel.metadata)}
    assert declared - reached == set(TOLD_OTHERWISE)


async def test_the_signed_record_is_one_s_own_alone(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(ALICE)
    await site.subscribe("bob@example.com")
    async with site.installation.database.read() as session:
        hers, his = [
            (await gather_by_address(session, site.installation, email)).subscriptions[0].agreements[0].agreement.id
            for email in (ALICE, "bob@example.com")
        ]
    async with visiting(site, peer, ALICE) as visit:
        own = await visit.http.get(f"/my/agreements/{hers}")
        assert own.status_code == httpx.codes.OK
        assert own.headers["content-type"].startswith("application/ld+json")
        assert json.loads(own.text)["proof"]
        assert (await visit.http.get(f"/my/agreements/{his}")).status_code == httpx.codes.NOT_FOUND
    assert (await site.http.get(f"/my/agreements/{hers}")).status_code == httpx.codes.UNAUTHORIZED


async def test_nothing_is_gathered_of_anybody_else(site: Site) -> None:
    await site.subscribe(ALICE, **DETAILS)
    await site.subscribe("bob@example.com", given_name="Bob", employer="Elsewhere")
    async with site.installation.database.read() as session:
        holding = await gather_by_address(session, site.installation, "bob@example.com")
        nobody = await gather_by_address(session, site.installation, "nobody@example.com")
    said = {str(value.value) for value in holding.values}
    assert {"Bob", "Elsewhere", "bob@example.com"} <= said
    assert not said & {ALICE, *DETAILS.values()}
    assert nobody.empty
