"""A form of the console that acts by what is left out takes no field but its own."""

import pytest
from sqlmodel import func, select

from newsletter.delivery.tables import Mailing
from newsletter.issues.tables import Issue
from tests.web.site import SLUG, Site

FORMS = {
    "mailing": ("/console/issues/{issue}/ready", "/console/issues/{issue}/mailing"),
    "in doubt": ("/console/issues/{issue}", "/console/issues/{issue}/mailing/in-doubt"),
    "issue": ("/console/issues/{issue}", "/console/issues/{issue}"),
    "test": ("/console/issues/{issue}", "/console/issues/{issue}/test"),
    "notice": ("/console/retention", f"/console/newsletters/{SLUG}/notices/en/in-force"),
    "retention": ("/console/retention", "/console/retention"),
    "import": ("/console/retention", f"/console/imports/{'a' * 26}/check"),
    "export": ("/console/retention", f"/console/newsletters/{SLUG}/export"),
}


@pytest.mark.parametrize("form", FORMS)
async def test_it_is_refused_and_nothing_done(site: Site, form: str) -> None:
    await site.sign_in()
    issue = await site.draft()
    page, action = (path.format(issue=issue) for path in FORMS[form])
    answer = await site.post_form(page, action, strats_at="2027-01-01T09:00")
    assert answer.status_code == 422
    assert "strats_at" in answer.text
    async with site.installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Mailing))).one() == 0
        assert (await session.get_one(Issue, issue)).body


async def test_so_is_one_beside_an_uploaded_file(site: Site) -> None:
    await site.sign_in()
    shown = await site.browser.get(f"/console/newsletters/{SLUG}/import")
    token = shown.text.partition('name="_csrf_token" value="')[2].partition('"')[0]
    answer = await site.browser.post(
        f"/console/newsletters/{SLUG}/import",
        data={"_csrf_token": token, "dry_run": "true"},
        files={"file": ("people.csv", b"email\nkari@example.com\n")},
        follow_redirects=False,
    )
    assert answer.status_code == 422
