"""The open thread: reading back, what is new, failures and retries, colleagues, and what agents do but answer."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

_numbers = itertools.count(1)
NETWORK = r"net::ERR_|WebSocket connection to|Failed to load resource|^htmx:|Response Status Error"


@pytest.fixture
def handset() -> str:
    return f"+1201558{1000 + next(_numbers)}"


LINE = "12015550101"  # of these tests alone: their rows are on the list's first page


def text(product: Product, body: str, *, sender: str) -> None:
    product.text(body, sender=sender, line=LINE)


def inbox(product: Product, path: str = "") -> str:
    line = product.rows("SELECT id FROM conversations_line WHERE number = %s", f"+{LINE}")[0][0]
    return f"{product.url}/inbox/{path}?view=all&line={line}"


def opened(desk: Desk, product: Product, handset: str, body: str = "Hello?", username: str = "agent") -> Page:
    """Signed in and in this person's thread, after they have texted."""
    if body:
        text(product, body, sender=handset)
    page = desk.sign_in(username)
    page.goto(inbox(product, f"{product.conversation(handset.removeprefix('+'))}/"))
    page.locator("#live[data-state=live]").wait_for(state="attached")
    return page


def reply(page: Page, body: str) -> None:
    page.locator("#body").fill(body)
    page.locator("#body").press("Enter")


def bubble(page: Page, body: str):
    return page.locator("#messages .msg", has_text=body)


def fails(product: Product, handset: str, code: int) -> None:
    """The next text to this number will not arrive."""
    product.sandbox("faults", to=handset.removeprefix("+"), kind="reject", value=code, times=1)


def test_reading_back_loads_older_messages_and_nothing_jumps(desk: Desk, product: Product, handset: str) -> None:
    for number in range(120):
        text(product, f"Text number {number:03} of many", sender=handset)
    page = opened(desk, product, handset, body="The last one")
    bubbles = page.locator("#messages .msg")
    expect(bubbles).to_have_count(50)
    oldest = bubbles.first.locator(".bub").text_content()
    assert oldest is not None

    page.locator("#log").evaluate("log => log.scrollTop = 40")
    expect(bubbles).to_have_count(100)
    expect(page.locator(".bub", has_text=oldest)).to_be_in_viewport()
    page.locator("#log").evaluate("log => log.scrollTop = 40")
    expect(bubbles).to_have_count(121)
    expect(page.locator("#earlier")).to_have_count(0)

    page.locator("#log").evaluate("log => log.scrollTop = 500")
    read = page.locator(".bub", has_text="number 015")
    before = read.bounding_box()
    text(product, "And another", sender=handset)
    expect(bubbles).to_have_count(122)
    assert read.bounding_box() == before
    expect(page.locator("#jump")).to_contain_text("Jump to latest (1)")


def test_what_is_new_stays_marked_until_its_reader_answers(desk: Desk, product: Product, handset: str) -> None:
    page = opened(desk, product, handset)
    reply(page, "Hello!")
    expect(bubble(page, "Hello!")).to_contain_text("Delivered")
    page.goto(inbox(product))
    text(product, "One question", sender=handset)
    text(product, "And a second", sender=handset)
    row = page.locator(f"#c-{product.conversation(handset.removeprefix('+'))}")
    expect(row.locator(".n-badge")).to_contain_text("2")

    row.locator("a").click()

    expect(page.locator("#new-rule")).to_have_text("2 new messages")
    expect(row.locator(".n-badge")).to_have_count(0)
    expect(page.locator("#new-rule")).to_be_visible()
    reply(page, "Yes to both.")
    expect(page.locator("#new-rule")).to_have_count(0)


def test_a_failure_says_why_and_retry_sends_again(desk: Desk, product: Product, handset: str) -> None:
    page = opened(desk, product, handset)
    fails(product, handset, 1180)
    reply(page, "Can you read this?")
    failed = page.locator(".msg--fail", has_text="Can you read this?")
    expect(failed).to_contain_text("Not delivered: the phone is unreachable (1180)")
    expect(page.locator(".q-row[aria-current]")).to_contain_text("Not delivered:")

    failed.get_by_role("button", name="Details").click()
    dialog = page.locator("#details")
    for words in ("Written", "The gate allowed it", "They wrote to us.", "Handed to the carrier", "unreachable (1180)"):
        expect(dialog).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    failed.get_by_role("button", name="Retry").click()
    expect(bubble(page, "Can you read this?").last).to_contain_text("Delivered")
    expect(failed).to_contain_text("Sent again below")
    assert product.handed_over(handset) == ["Can you read this?"] * 2


def test_two_agents_in_one_thread_see_each_other_s_words_once_and_keep_their_own(
    desk: Desk, product: Product, handset: str
) -> None:
    priya = opened(desk, product, handset, username="agent")
    dana = opened(desk, product, handset, body="", username="agent2")
    dana.locator("#body").fill("I was about to say")

    reply(priya, "Mine was first")

    expect(bubble(dana, "Mine was first")).to_contain_text("Delivered")
    expect(dana.locator("#body")).to_have_value("I was about to say")
    dana.locator("#body").press("Enter")
    for page in (priya, dana):
        expect(page.locator(".msg--out")).to_have_count(2)
        expect(bubble(page, "I was about to say")).to_contain_text("Dana Ruiz")


def test_resolving_moves_on_and_undo_brings_the_wait_back(desk: Desk, product: Product, handset: str) -> None:
    page = opened(desk, product, handset)
    here = page.url
    expect(page.locator("#thread-head [data-due]")).to_be_visible()

    page.get_by_role("button", name="Resolve").click()

    page.wait_for_url(lambda url: url != here)
    expect(page.locator("#toast")).to_contain_text("Resolved: no answer needed")
    page.locator("#toast").get_by_role("button", name="Undo").click()
    page.wait_for_url(here)
    expect(page.locator("#thread-head [data-due]")).to_be_visible()
    expect(page.get_by_role("button", name="Resolve")).to_be_visible()


def test_a_snoozed_conversation_comes_back_with_the_next_text(desk: Desk, product: Product, handset: str) -> None:
    page = opened(desk, product, handset)
    row = page.locator(f"#c-{product.conversation(handset.removeprefix('+'))}")
    here = page.url
    page.locator("#snooze-menu summary").click()
    page.get_by_role("button", name="In 1 hour").click()
    page.wait_for_url(lambda url: url != here)
    page.locator("#live[data-state=live]").wait_for(state="attached")
    expect(page.locator("#toast")).to_contain_text("Snoozed until")
    expect(row).to_have_count(0)

    text(product, "Sorry, one more thing", sender=handset)

    expect(row).to_contain_text("Sorry, one more thing")


def test_a_conversation_is_assigned_and_found_among_one_s_own(desk: Desk, product: Product, handset: str) -> None:
    page = opened(desk, product, handset)
    page.locator("#assign-menu summary").click()
    colleague = page.get_by_role("button", name="Dana Ruiz")
    expect(colleague).to_be_visible()
    text(product, "Are you there?", sender=handset)
    expect(page.locator("#messages")).to_contain_text("Are you there?")
    colleague.click()
    expect(page.locator("#thread-head")).to_contain_text("Dana Ruiz")

    dana = desk.sign_in("agent2")
    dana.get_by_role("link", name="Mine").click()

    expect(dana.locator(f"#c-{product.conversation(handset.removeprefix('+'))}")).to_be_visible()


def test_details_and_tags_are_edited_in_place_and_nothing_that_arrives_disturbs(
    desk: Desk, product: Product, handset: str
) -> None:
    page = opened(desk, product, handset)
    panel = page.locator("#panel")
    panel.get_by_role("button", name="Edit").click()
    panel.get_by_label("Name").fill("Marisol Ve")
    text(product, "Are you there?", sender=handset)
    expect(bubble(page, "Are you there?")).to_be_visible()
    panel.get_by_label("Name").press_sequentially("ga")
    panel.get_by_label("Time zone").fill("Mars")
    desk.expect_complaints("422|Response Status Error")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_contain_text("one looks like America/Chicago")
    panel.get_by_label("Time zone").fill("America/Denver")
    panel.get_by_role("button", name="Save").click()

    expect(panel.locator("h2").first).to_have_text("Marisol Vega")
    expect(panel).to_contain_text("Denver")
    expect(page.locator("#contact-name")).to_have_text("Marisol Vega")
    panel.get_by_label("Add a tag").fill("new patient")
    panel.get_by_label("Add a tag").press("Enter")
    expect(panel.locator(".tags .pill")).to_have_text("new patient")
    expect(page.locator(".q-row[aria-current]")).to_contain_text("new patient")
    panel.get_by_role("button", name="Remove new patient").click()
    expect(panel.locator(".tags .pill")).to_have_count(0)


def test_catch_up_scrolls_marks_read_or_moves_focus(desk: Desk, product: Product, handset: str) -> None:
    desk.expect_complaints(NETWORK)
    for number in range(40):
        text(product, f"Line {number}\n" * 3, sender=handset)
    page = opened(desk, product, handset)
    expect(page.locator("#messages .msg")).to_have_count(41)
    page.locator("#body").press_sequentially("Half a")
    page.locator("#log").evaluate("log => log.scrollTop = 900")
    at = page.locator("#log").evaluate("log => log.scrollTop")
    pk = product.conversation(handset.removeprefix("+"))
    unread = "SELECT unread FROM conversations_conversation WHERE id = %s"
    assert eventually(lambda: product.rows(unread, pk) == [(0,)])
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#live")).to_contain_text("Reconnecting")
    text(product, "While you slept", sender=handset)

    page.context.set_offline(False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator("#messages .msg")).to_have_count(42)
    assert page.locator("#log").evaluate("log => log.scrollTop") == at
    assert page.evaluate("document.activeElement.id") == "body"
    expect(page.locator("#body")).to_have_value("Half a")
    expect(page.locator("#jump")).to_contain_text("(1)")
    assert product.rows(unread, pk) == [(1,)]  # nobody has seen it
