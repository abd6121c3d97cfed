"""An import of 20,000, killed in the middle; and an editor brings a list in the browser."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company
from tests.support.waiting import eventually

MANY = 20_000


def test_killed_in_the_middle_of_an_import_it_goes_on_where_it_stopped(company: Company, tmp_path: Path) -> None:
    """Nobody is missing, nobody is in twice, and each has an agreement of the one import."""
    people = [{"email": f"reader{number}@example.com", "given_name": "Kari"} for number in range(MANY)]
    said = {"people": people, "source": "the old list", "basis": "consent", "mode": "agreed"}
    import_id = company.answer("POST", f"/newsletters/{SLUG}/imports", said)["id"]

    def standing() -> dict[str, Any]:
        return dict(company.answer("GET", f"/imports/{import_id}"))

    eventually(lambda: standing()["rows"] > 0, what="the first slice")
    company.program.kill()
    company.program.start()
    killed = standing()
    assert 0 < killed["rows"] < MANY, "it was over before it could be killed"
    done = eventually(lambda: (s := standing())["state"] == "finished" and s, what="the end of the import")
    assert done
    assert (done["rows"], done["accepted"], done["known"], done["refused"]) == (MANY, MANY, 0, 0)
    assert not list((company.program.data_dir / "imports").iterdir())
    written = company.program.command("export", "--newsletter", SLUG)
    assert sorted(row["email"] for row in csv.DictReader(io.StringIO(written))) == sorted(
        person["email"] for person in people
    )
    file = tmp_path / "again.csv"
    file.write_text(f'{written[:2000].rpartition("reader")[0]}ny@example.com\n"a@example.com\n', encoding="utf-8")
    told = company.program.json(
        "import", str(file), "--newsletter", SLUG, "--source", "again", "--basis", "consent", "--agreed"
    )
    assert (told["accepted"], told["refused"], told["known"]) == (1, 1, told["rows"] - 2)


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_an_editor_brings_a_list(company: Company, page: Page, camera: Camera) -> None:
    errors = listen(page)
    await sign_in(page, company.program.base_url)
    await page.goto(f"{company.program.base_url}/console/newsletters/{SLUG}/import")
    await camera.look(page, "console-import")
    rows = [("kari@example.com", "Kari", "Nordmann"), ("not an address", "Ola", ""), ("åse@example.com", "Åse", "Øde")]
    content = "Mail;Fornavn;Etternavn\n" + "".join(";".join(row) + "\n" for row in rows)
    await page.get_by_label("File", exact=True).set_input_files(
        {"name": "kunder.csv", "mimeType": "text/csv", "buffer": content.encode("cp1252")}
    )
    await page.get_by_role("button", name="Send the file").click()
    await expect(page.get_by_role("cell", name="åse@example.com")).to_be_visible()
    await page.get_by_label("They have agreed before").check()
    await page.get_by_label("Where these people come from").fill("kunder i butikken, 2024")
    await page.get_by_label("On which ground").select_option("consent")
    await camera.look(page, "console-import-columns")
    await page.get_by_role("button", name="Look through the file").click()
    await expect(page.get_by_text("nothing has been changed yet")).to_be_visible()
    await camera.look(page, "console-import-checked")
    await page.get_by_role("button", name="Subscribe them now").click()
    await expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    await camera.look(page, "console-import-finished")
    assert {person["email"] for person in company.find("")} == {"kari@example.com", "åse@example.com"}
    assert errors == []
