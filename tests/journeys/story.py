"""What the journeys tell with: a company that owns the program, and the readers it has."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from newsletter.addresses import read_address
from newsletter.agreements.opening import open_newsletter
from newsletter.editors import accounts, keys
from newsletter.installation import open_installation
from newsletter.newsletters.actions import by_slug
from newsletter.settings import load
from newsletter.subscribers.actions import enter, subscribe
from tests.support.program import Program
from tests.support.waiting import eventually

SLUG = "ukesbrevet"
EDITOR, PASSWORD = "olga@example.com", "a long enough password"
SENDER = "Eksempel Bøker <news@example.com>"
BODY = """# Hei {{ given_name | default: "du" }}

Tre lenker: [én](https://example.com/en?a=1&b=2), [to](https://example.com/to) og [tre](https://example.com/tre).
"""


@dataclass(frozen=True)
class Company:
    """One newsletter, an editor, and an API key with every scope."""

    program: Program
    key: str

    def api(self, method: str, path: str, json: dict[str, Any] | None = None) -> httpx.Response:
        """Use the API with the key."""
        headers = {"authorization": f"Bearer {self.key}"}
        return self.program.http.request(method, f"/api/v1{path}", json=json, headers=headers)

    def answer(self, method: str, path: str, json: dict[str, Any] | None = None) -> Any:
        """Use the API, which is to say yes; give its answer."""
        response = self.api(method, path, json)
        assert response.is_success, response.text
        return response.json()

    def write_and_send(self, subject: str = "Høstens bøker", body: str = BODY) -> str:
        """Write an issue and let it leave; give its id."""
        issue = self.answer("POST", f"/newsletters/{SLUG}/issues", {"subject": subject, "body": body})["id"]
        self.answer("POST", f"/issues/{issue}/mailing")
        return str(issue)

    def mailing(self, issue: str) -> dict[str, Any]:
        """Give how the mailing stands."""
        return dict(self.answer("GET", f"/issues/{issue}/mailing"))

    def finished(self, issue: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until the mailing is finished; give how it stands."""

        def over() -> dict[str, Any] | None:
            standing = self.mailing(issue)
            return standing if standing["state"] == "finished" else None

        done = eventually(over, timeout=seconds, what="the end of the mailing")
        assert done
        return done

    def find(self, email: str) -> list[dict[str, Any]]:
        """Search for a subscriber."""
        return list(self.answer("POST", f"/newsletters/{SLUG}/subscribers/search", {"email": email})["items"])

    def readers(self, number: int) -> list[str]:
        """Let so many people be subscribed already, by the program's own actions; give their addresses."""
        addresses = [f"reader{n}@example.com" for n in range(number)]
        asyncio.run(self._subscribe(addresses))
        return addresses

    async def _subscribe(self, addresses: list[str]) -> None:
        installation = open_installation(load(self.program.environment))
        try:
            async with installation.database.write() as session:
                newsletter = await by_slug(session, SLUG)
                for address in addresses:
                    read = read_address(address)
                    reader = await enter(session, installation.clock, read, "nb", {"given_name": "Kari"})
                    await subscribe(session, installation.clock, reader.id, newsletter.id)
        finally:
            await installation.database.close()

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """Give a client that is signed in to the console."""
        with httpx.Client(base_url=self.program.base_url, trust_env=False, timeout=60) as browser:
            form = {"email": EDITOR, "password": PASSWORD}
            response = post_form(browser, "/console/sign-in", "/console/sign-in", form)
            assert response.status_code == httpx.codes.SEE_OTHER, response.text
            yield browser


def found_company(program: Program) -> Company:
    """Set up the company on a running program, by its own commands."""
    program.command("new", SLUG, "--name", "Ukesbrevet på nett", "--sender", SENDER)
    program.command("editor", "add", EDITOR, given=f"{PASSWORD}\n")
    return Company(program, program.json("api-key", "create", "journey")["key"])


def open_company(program: Program) -> Company:
    """Set up the same company without its commands, each of which would cost a start."""

    async def opened() -> str:
        installation = open_installation(load(program.environment))
        given = {"name": "Ukesbrevet på nett", "sender": SENDER, "language": "nb"}
        try:
            async with installation.database.write() as session:
                await open_newsletter(session, installation, SLUG, given)
                await accounts.add(session, installation.clock, EDITOR, "Olga", PASSWORD)
                return await keys.create(session, installation.clock, "journey")
        finally:
            await installation.database.close()

    return Company(program, asyncio.run(opened()))


def hidden_fields(html: str) -> dict[str, str]:
    """Give the hidden fields of a page's forms."""
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html))


def post_form(browser: httpx.Client, page: str, action: str, form: dict[str, str]) -> httpx.Response:
    """Load a page and send its form, as a browser does."""
    return browser.post(action, data=hidden_fields(browser.get(page).text) | form)
