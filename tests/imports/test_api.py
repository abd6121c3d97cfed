"""Other programs import and export, each with a scope of its own."""

from newsletter.imports.tables import ImportState
from newsletter.imports.working.working import Importer
from tests.imports.files import subscribed
from tests.web.site import SLUG, Site

PEOPLE = [{"email": "kari@example.com", "given_name": "Kari"}, {"email": "nobody"}, {"email": "  "}]
SAID = {"people": PEOPLE, "source": "the shop", "basis": "existing_customer", "mode": "agreed"}


async def test_people_come_by_the_api_each_with_its_number(site: Site) -> None:
    given = SAID | {"basis": "contract"}
    answer = await site.api("POST", f"/newsletters/{SLUG}/imports", given)
    assert (answer.status_code, answer.json()["state"]) == (202, ImportState.RUNNING), answer.text
    await Importer(site.installation, "a worker").work_on(answer.json()["id"])
    told = (await site.api("GET", f"/imports/{answer.json()['id']}")).json()
    assert (told["state"], told["rows"], told["accepted"]) == ("finished", 3, 1)
    assert [refusal["row"] for refusal in told["refusals"]] == [3, 4]
    assert (await subscribed(site.installation, site.newsletter)).keys() == {"kari@example.com"}
    exported = await site.api("POST", f"/newsletters/{SLUG}/exports", {"format": "json"})
    assert exported.json()["email"] == "kari@example.com"


async def test_existing_customers_need_their_sale_and_to_have_been_able_to_decline(site: Site) -> None:
    answer = await site.api("POST", f"/newsletters/{SLUG}/imports", SAID)
    assert (answer.status_code, answer.json()["fields"].keys()) == (422, {"opt_out_shown"})
    answer = await site.api("POST", f"/newsletters/{SLUG}/imports", SAID | {"opt_out_shown": True})
    await Importer(site.installation, "a worker").work_on(answer.json()["id"])
    told = (await site.api("GET", f"/imports/{answer.json()['id']}")).json()
    assert (told["accepted"], told["refusals"][0]["reason"].split(",")[0]) == (0, "There is no sale reference")


async def test_a_notice_that_was_never_shown_is_none_to_agree_under(site: Site) -> None:
    given = SAID | {"basis": "consent", "notice": "0" * 64}
    answer = await site.api("POST", f"/newsletters/{SLUG}/imports", given)
    assert (answer.status_code, answer.json()["fields"].keys()) == (409, {"notice"})
    folder = site.installation.settings.data_dir / "imports"
    assert list(folder.iterdir()) == []
