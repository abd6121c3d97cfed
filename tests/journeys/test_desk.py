"""A letter asks for erasure: an editor answers it at the rights desk, and puts the company's privacy in order."""

from datetime import timedelta

from playwright.async_api import Page, expect

from newsletter.clock import SystemClock
from newsletter.installation import open_installation
from newsletter.newsletters.actions import by_slug
from newsletter.rights.desk.rules import due
from newsletter.rights.desk.tables import RightsRequest
from newsletter.settings import load
from newsletter.tokens import new_id
from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company
from tests.rights.desk.at_the_desk import KARI, subscribed
from tests.support.program import Program


async def test_a_letter_is_answered_at_the_desk(sqlite_company: Company, page: Page, camera: Camera) -> None:
    program = sqlite_company.program
    errors = listen(page)
    await prepare(program)
    await sign_in(page, program.base_url)
    await expect(page.get_by_role("alert")).to_contain_text("One rights request is overdue")
    await register(page, camera)
    await answer(page, camera)
    await put_in_order(page, camera)
    for language in ("nb", "en"):
        await page.goto(f"{program.base_url}/privacy?language={language}")
        await camera.look(page, f"privacy-{language}")
    assert errors == []


async def register(page: Page, camera: Camera) -> None:
    """Write down the letter that came today."""
    await page.get_by_role("link", name="Answer now").click()
    await page.get_by_text("Register a request").click()
    await page.get_by_label("What is asked for").select_option("Erasure")
    await page.get_by_label("How it came").select_option("By letter")
    await page.get_by_label("Who asks").fill("Kari Ramstad, Storgata 1, Bergen")
    await page.get_by_label("The e-mail address they subscribe with").fill(KARI)
    await camera.look(page, "desk")
    await page.get_by_role("button", name="Register").click()
    await camera.look(page, "desk-request")


async def answer(page: Page, camera: Camera) -> None:
    """Make sure who asks, look at what is held, erase it, and close the request."""
    await page.get_by_label("How you made sure").fill("Called back on the number in the directory.")
    await page.get_by_role("button", name="Record").click()
    await page.get_by_role("link", name="See everything held about them").click()
    for summary in ("Correct", "Give a copy", "Erase"):
        await page.locator("summary", has_text=summary).first.click()
    await camera.look(page, "desk-person")
    await page.get_by_role("button", name="Erase everything").click()
    await expect(page.get_by_text("The person has been erased")).to_be_visible()
    await page.get_by_label("What came of it").select_option("Done as asked")
    await page.get_by_role("button", name="It has been answered: close").click()
    await page.get_by_label("You are here").get_by_role("link", name="Rights requests").click()
    await expect(page.get_by_role("region", name="Closed requests")).to_contain_text("Done as asked")
    await expect(page.locator("main")).not_to_contain_text("Ramstad")


async def put_in_order(page: Page, camera: Camera) -> None:
    """Name a processor, and look at the record and at what a breach would touch."""
    await page.get_by_role("link", name="Privacy", exact=True).click()
    await page.get_by_text("Add a processor").click()
    form = page.locator("details[open]", has_text="Add a processor")
    await form.get_by_label("Company").fill("Mailworks Inc.")
    await form.get_by_label("What it does for you").fill("relays the mail")
    await form.get_by_label("Country where it processes the data").select_option("United States")
    await form.get_by_label("Ground for the transfer").fill("EU standard contractual clauses")
    await form.get_by_label("Keeps copies of its own").check()
    await form.get_by_role("button", name="Save").click()
    await expect(page.locator("summary", has_text="Mailworks Inc.")).to_contain_text("outside the EEA")
    await camera.look(page, "privacy-console")
    await page.get_by_role("link", name="By itself, for printing").click()
    await camera.look(page, "privacy-record")
    await page.go_back()
    await page.locator("main").get_by_role("link", name="Ukesbrevet på nett").click()
    await camera.look(page, "privacy-breach")


async def prepare(program: Program) -> None:
    """Let Kari be subscribed, and a request lie about that is overdue."""
    installation = open_installation(load(program.environment))
    try:
        async with installation.database.read() as session:
            newsletter = await by_slug(session, SLUG)
        await subscribed(installation, newsletter)
        async with installation.database.write() as session:
            received = SystemClock().now().date() - timedelta(days=50)
            session.add(
                RightsRequest(id=new_id(), kind="access", arrival="phone", received_on=received, due_on=due(received))
            )
    finally:
        await installation.database.close()
