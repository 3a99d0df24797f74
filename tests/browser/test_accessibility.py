"""Every page and state, in both themes: axe (WCAG 2.2 A and AA) finds nothing, nothing scrolls sideways at 320 pixels,
and nothing is said on the console."""

from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from django.core import signing
from playwright.sync_api import Page

from tests.browser.conftest import Desk
from tests.product import Product, running

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async rules => (await axe.run(document, { runOnly: rules })).violations.map(
    ({ id, nodes }) => `${id}: ` + nodes.map(node => node.target.join(" ")).slice(0, 5).join(" | "))
"""

# A conversation in each state, by what the database says of it.
WITH_MESSAGE = "SELECT conversation_id FROM conversations_message WHERE {} ORDER BY id DESC LIMIT 1"
CONVERSATIONS = {
    "not delivered": WITH_MESSAGE.format("status = 'failed' AND purpose = 'reply'"),
    "unknown": WITH_MESSAGE.format("status = 'unknown'"),
    "scheduled": WITH_MESSAGE.format("status = 'queued' AND due_at > now()"),
    "blocked": WITH_MESSAGE.format("status = 'blocked'"),
    "a photo": WITH_MESSAGE.format("kind = 'unsupported'"),
    "opted out": "SELECT conversation_id FROM conversations_message WHERE body ILIKE 'stop' ORDER BY id DESC LIMIT 1",
    "noted": "SELECT conversation_id FROM conversations_note ORDER BY position('@' in body) = 0 LIMIT 1",
    "snoozed": "SELECT id FROM conversations_conversation WHERE snoozed_until IS NOT NULL LIMIT 1",
    "resolved": "SELECT id FROM conversations_conversation WHERE resolved_at IS NOT NULL LIMIT 1",
    "waiting": "SELECT id FROM conversations_conversation WHERE due_at IS NOT NULL ORDER BY unread DESC LIMIT 1",
}
LISTS = [
    "",
    "scheduled/",
    "mentions/",
    "new/",
    "?view=mine",
    "?view=snoozed",
    "?show=failed",
    "?show=resolved",
    "?q=the",
    "?q=zeppelin",
]
ADMIN = [
    "",
    "conversations/carrierevent/",
    "conversations/message/",
    "conversations/line/",
    "conversations/line/add/",
    "conversations/team/",
    "conversations/team/add/",
    "conversations/routingrule/",
    "conversations/routingrule/add/",
    "conversations/try-routing/",
    "conversations/presence/",
    "conversations/disposition/",
    "consent/consentevent/",
    "consent/decision/",
    "consent/brand/",
    "consent/hold/",
    "consent/overview/",
    "consent/review/",
    "consent/rules/",
    "consent/subject/",
    "accounts/user/",
    "accounts/user/add/",
]


@pytest.fixture(scope="module")
def product(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """With demo data: every state that there is."""
    with running(tmp_path_factory.mktemp("demo"), DEMO_CONVERSATIONS="60") as product:
        yield product


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return request.param


def inspect(page: Page, what: str) -> list[str]:
    page.evaluate(AXE)
    problems = [f"{what}: {violation}" for violation in page.evaluate(RUN, RULES)]
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
        problems.append(f"{what}: scrolls sideways at 320 pixels")
    page.set_viewport_size(size)
    return problems


def signed_in(desk: Desk, username: str, theme: str) -> Page:
    # axe is put into the page from here, which its policy rightly forbids.
    return desk.sign_in(username, bypass_csp=True, color_scheme=theme, reduced_motion="reduce")


def test_every_conversation_and_list(desk: Desk, product: Product, theme: str) -> None:
    page, problems = signed_in(desk, "agent", theme), []
    for query in LISTS:
        page.goto(f"{product.url}/inbox/{query}")
        problems += inspect(page, f"/inbox/{query}")
    for state, query in CONVERSATIONS.items():
        rows = product.rows(query)
        assert rows, f"the demo has no conversation that is {state}"
        page.goto(f"{product.url}/inbox/{rows[0][0]}/")
        problems += inspect(page, state)

    assert not problems, "\n".join(problems)


def test_the_live_board(desk: Desk, product: Product, theme: str) -> None:
    page = signed_in(desk, "supervisor", theme)
    page.goto(f"{product.url}/board/")
    page.locator("#live[data-state=live]").wait_for(state="attached")
    problems = inspect(page, "/board/")
    page.locator(".card-row [data-does=reassign]").first.click()
    page.locator("#details[open]").wait_for()
    problems += inspect(page, "the board's dialog")
    assert not problems, "\n".join(problems)


def opened(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


OPENED: dict[str, Callable[[Page], None]] = {
    "snooze menu": opened("#snooze-menu summary"),
    "assign menu": opened("#assign-menu summary"),
    "more menu": opened("#more-menu summary"),
    "own menu": opened(".me summary"),
    "send menu": opened("#send-menu summary"),
    "filters": opened(".queue .menu-box summary"),
    "editing details": opened("#contact-details button"),
    "message details": lambda page: page.locator("[data-details]").last.click(force=True),
    "commands": lambda page: page.locator("body").press("Control+k"),
    "note": lambda page: (page.locator("#body").press("Escape"), page.keyboard.press("n"), page.keyboard.type("@"))[0],
    "smart quotes": lambda page: page.locator("#body").fill("“Hello” 👍"),
}


def test_everything_that_opens(desk: Desk, product: Product, theme: str) -> None:
    page, problems = signed_in(desk, "agent", theme), []
    conversation = product.rows(CONVERSATIONS["waiting"])[0][0]
    for what, act in OPENED.items():
        page.goto(f"{product.url}/inbox/{conversation}/")
        page.locator("#live[data-state=live]").wait_for(state="attached")
        act(page)
        page.wait_for_timeout(200)
        problems += inspect(page, what)

    assert not problems, "\n".join(problems)


def test_the_narrow_layouts(desk: Desk, product: Product, theme: str) -> None:
    page, problems = signed_in(desk, "supervisor", theme), []
    conversation = product.rows(CONVERSATIONS["waiting"])[0][0]
    for width in (1100, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{product.url}/inbox/")
        problems += inspect(page, f"list at {width}")
        page.goto(f"{product.url}/inbox/{conversation}/")
        problems += inspect(page, f"thread at {width}")
        page.locator("#panel-toggle").click()
        problems += inspect(page, f"drawer at {width}")

    assert not problems, "\n".join(problems)


def test_settings_sign_in_and_what_went_wrong(desk: Desk, product: Product, theme: str) -> None:
    desk.expect_complaints("40[34]")
    page, problems = signed_in(desk, "agent", theme), []
    for path in ("/settings/", "/settings/password/", "/nothing-here/", "/admin/", "/login/"):
        if path == "/login/":
            page.context.clear_cookies()
        page.goto(product.url + path)
        problems += inspect(page, path)

    assert not problems, "\n".join(problems)


def test_the_admin(desk: Desk, product: Product, theme: str) -> None:
    page, problems = signed_in(desk, "admin", theme), []
    for path in ADMIN:
        page.goto(f"{product.url}/admin/{path}")
        problems += inspect(page, path)
        record = page.locator("#result_list tbody th a").first
        if record.count():
            with page.expect_navigation():
                record.click()
            problems += inspect(page, f"{path} one")
        whole = page.get_by_role("link", name="Everything about this number")
        if whole.count():
            with page.expect_navigation():
                whole.click()
            problems += inspect(page, f"{path} everything")

    assert not problems, "\n".join(problems)


def test_consumers_own_pages(desk: Desk, product: Product, theme: str) -> None:
    desk.expect_complaints("4(04|22)")
    page, problems = signed_in(desk, "agent", theme), []
    page.context.clear_cookies()
    subject, brand = product.rows("SELECT subject_id, brand_id FROM consent_standing WHERE grants <> '{}' LIMIT 1")[0]
    token = signing.Signer(key=product.env["SECRET_KEY"], salt="preferences").sign(f"{subject}.{brand}")
    for path in (
        "/join/harbor-reminders/",
        "/join/harbor-reminders/?lang=es",
        "/join/harbor-reminders/thanks/",
        "/join/nothing/",
        f"/preferences/{token}/",
        "/preferences/nonsense/",
    ):
        page.goto(product.url + path)
        problems += inspect(page, path)
    page.goto(f"{product.url}/join/harbor-reminders/")
    page.get_by_role("button", name="Sign up for texts").click()
    page.get_by_text("Tick the box if you agree").first.wait_for()
    assert page.evaluate("document.activeElement.id") == "id_phone"
    problems += inspect(page, "what is wrong")
    page.get_by_label("Mobile number").fill("(212) 555-0123")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up for texts").click()
    page.get_by_role("heading", name="Thank you").wait_for()

    assert not problems, "\n".join(problems)


def test_what_an_email_leads_to(desk: Desk, product: Product, theme: str) -> None:
    """Sign up with an address, read the email, confirm, end it; a link that is none of ours."""
    desk.expect_complaints("404")
    page, problems = signed_in(desk, "agent", theme), []
    page.context.clear_cookies()
    page.goto(f"{product.url}/join/harbor-reminders/")
    page.get_by_label("Mobile number").fill("(212) 555-0124" if theme == "light" else "(212) 555-0125")
    page.get_by_label("Email").fill("anna@example.com")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up for texts").click()
    page.get_by_role("link", name="read that email here").click()
    problems += inspect(page, "mailbox")
    page.locator("a[href*='/confirm/']").first.click()
    problems += inspect(page, "confirm")
    page.get_by_role("button", name="Yes, I agreed").click()
    problems += inspect(page, "confirmed")
    page.goto(f"{product.url}/mailbox/")
    page.locator("a[href*='/unsubscribe/']").first.click()
    problems += inspect(page, "unsubscribe")
    page.get_by_role("button", name="Stop all texts").click()
    page.get_by_role("heading", name="Done").wait_for()
    problems += inspect(page, "done")
    page.goto(f"{product.url}/unsubscribe/nonsense/")
    problems += inspect(page, "no such link")

    assert not problems, "\n".join(problems)
