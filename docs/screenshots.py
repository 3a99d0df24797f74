"""Takes the README's pictures from the demo: `make screenshots`. Needs Chromium."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.product import Product, running

HERE = Path(__file__).parent / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BUSIEST = (
    "SELECT id FROM conversations_conversation WHERE owner_id = (SELECT id FROM accounts_user WHERE username = 'agent')"
)
BUSIEST += " AND due_at IS NOT NULL AND resolved_at IS NULL ORDER BY unread DESC, id LIMIT 1"


def page_of(browser: Browser, product: Product, username: str, theme: str, width: int, height: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(product.url + "/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(product.password)
    page.get_by_role("button", name="Sign in").click()
    return page


def main() -> None:
    HERE.mkdir(exist_ok=True)
    executable = next(filter(None, map(shutil.which, CHROMIUM)))
    with (
        tempfile.TemporaryDirectory() as var_dir,
        running(Path(var_dir), DEMO_CONVERSATIONS="400") as product,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        conversation = f"{product.url}/inbox/{product.rows(BUSIEST)[0][0]}/?view=mine"
        for name, theme, width, height in (
            ("inbox-light", "light", 1440, 900),
            ("inbox-dark", "dark", 1440, 900),
            ("inbox-phone", "light", 390, 844),
        ):
            page = page_of(browser, product, "agent", theme, width, height)
            page.goto(conversation)
            page.locator("#live[data-state=live]").wait_for(state="attached")
            page.screenshot(path=HERE / f"{name}.png")
            page.close()
        page = page_of(browser, product, "compliance", "light", 1440, 900)
        page.goto(f"{product.url}/admin/consent/consentevent/")
        page.screenshot(path=HERE / "ledger.png")
        browser.close()


if __name__ == "__main__":
    main()
