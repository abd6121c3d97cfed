"""A newsletter's notices come in pages, as every list does."""

from datetime import timedelta

from newsletter.agreements.notices.actions import Wording, put_in_force
from newsletter.web.api import PAGE
from tests.web.site import SLUG, Site

PATH = f"/newsletters/{SLUG}/notices"


async def test_all_come_page_by_page_each_once_and_the_last_one_first(site: Site) -> None:
    now = site.installation.clock.now()
    async with site.installation.database.write() as session:
        for day in range(PAGE):
            words = Wording("en", "Yes", f"The words of day {day}.")
            await put_in_force(session, site.installation, site.newsletter.id, words, now + timedelta(days=day + 1))
    first = (await site.api("GET", PATH)).json()
    assert len(first["items"]) == PAGE
    second = (await site.api("GET", f"{PATH}?after={first['next']}")).json()
    assert second["next"] is None
    found = first["items"] + second["items"]
    assert len({item["hash"] for item in found}) == len(found) == PAGE + 3
    assert [item["valid_from"] for item in found] == sorted((item["valid_from"] for item in found), reverse=True)


async def test_a_page_after_a_version_that_is_gone_is_refused(site: Site) -> None:
    for after in ("a" * 26, "nonsense"):
        answer = await site.api("GET", f"{PATH}?after={after}")
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["after"])
