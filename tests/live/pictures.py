"""Takes the README's pictures of the running product: ``python -m tests.live.pictures docs/images``."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import launch
from tests.live.people import Colleague, Shopper
from tests.live.product import RunningProduct


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        product = RunningProduct(Path(home))
        product.start()
        browser = launch(playwright)
        try:
            customer = Shopper(browser, product.url)
            name = customer.signs_in_as_the_best_customer()
            anna = _colleague(browser, product, "anna", "/workspace")
            anna.goes_on_duty()
            customer.opens_the_chat()
            customer.hears("digital assistant")
            customer.writes("I'm looking for a record player that is easy to use, around 300 euros")
            customer.skips_questions_until("Yes, that's right")
            customer.presses("Yes, that's right")
            customer.hears("Because you told us")
            customer.page.wait_for_timeout(700)  # The panel's opening movement ends.
            customer.page.screenshot(path=folder / "shop.png")
            customer.asks_for_a_person()
            anna.takes_over(name)
            customer.writes("Does it come with a lid, and can you set it up for me?")
            anna.hears("Does it come with a lid")
            anna.goes_on("It does, and the workshop sets it up before it leaves.")
            customer.hears("before it leaves")
            anna.half_writes("Shall I put one aside for")
            anna.page.screenshot(path=folder / "workspace.png")
            marek = _colleague(browser, product, "marek", "/console")
            marek.sees("What customers need")
            marek.page.screenshot(path=folder / "console.png")
            for shown, who in (("shop", customer), ("workspace", anna), ("console", marek)):
                who.page.set_viewport_size({"width": 390, "height": 844})
                who.page.wait_for_timeout(500)
                who.page.screenshot(path=folder / f"{shown}-phone.png")
        finally:
            browser.close()
            product.stop()


def _colleague(browser: Browser, product: RunningProduct, name: str, start: str) -> Colleague:
    email = f"{name}@alderandbell.example"
    return Colleague(browser, product.url, email, product.password_of(email), start)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
