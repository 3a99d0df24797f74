"""While a reply is being written: its draft, what it costs on the air, and what makes it dearer than it looks."""

import pytest
from playwright.sync_api import Page, expect

from contactcenter.lib import redact, segments
from tests.browser.conftest import Desk
from tests.browser.writing import bubble, kept, new_number, opened, write
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

NETWORK = r"net::ERR_|Failed to load resource"


@pytest.fixture
def handset() -> str:
    return new_number()


@pytest.fixture
def page(desk: Desk, product: Product, handset: str) -> Page:
    """An agent's page with the conversation of somebody who has just texted."""
    product.text("Hello?", sender=handset)
    return opened(desk.sign_in(), product, handset)


# --- Drafts ------------------------------------------------------------------------------------------------------


def test_a_draft_outlives_a_crash_and_is_in_no_other_thread(page: Page, product: Product, handset: str) -> None:
    other = new_number()
    product.text("Somebody else", sender=other)
    page.locator("#body").press_sequentially("Not finished yet")
    expect(page.locator("#draft-saved")).to_contain_text("Draft saved")
    context = page.context
    page.close(run_before_unload=False)

    page = opened(context.new_page(), product, handset)
    expect(page.locator("#body")).to_have_value("Not finished yet")
    expect(page.locator("#draft-saved")).to_contain_text("Draft saved")
    page.reload()
    expect(page.locator("#body")).to_have_value("Not finished yet")
    opened(page, product, other)
    expect(page.locator("#body")).to_have_value("")
    expect(page.locator("#draft-saved")).to_be_empty()


def test_who_signs_in_at_the_same_desk_sees_no_drafts_of_another(page: Page, product: Product, handset: str) -> None:
    def sign_in_again(username: str) -> None:
        page.locator("#me > summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(product.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/inbox/**")
        opened(page, product, handset)

    write(page, "Priya's own words")
    sign_in_again("agent2")
    expect(page.locator("#body")).to_have_value("")
    sign_in_again("agent")
    expect(page.locator("#body")).to_have_value("Priya's own words")


def test_a_draft_of_two_tabs_is_one_until_somebody_writes_in_both(page: Page, product: Product, handset: str) -> None:
    other = opened(page.context.new_page(), product, handset)
    page.locator("#body").press_sequentially("From the first tab")
    expect(other.locator("#body")).to_have_value("From the first tab")

    other.locator("#body").press_sequentially(", and more")
    expect(other.locator("#body")).to_have_value("From the first tab, and more")
    expect(page.locator("#body")).to_have_value("From the first tab")
    other.keyboard.press("Enter")
    expect(bubble(page, "From the first tab, and more")).to_contain_text("Delivered")
    expect(other.locator("#body")).to_have_value("")
    expect(page.locator("#body")).to_have_value("From the first tab")


def test_a_text_sent_in_one_tab_leaves_the_other_as_well(page: Page, product: Product, handset: str) -> None:
    write(page, "Only once, please")
    other = opened(page.context.new_page(), product, handset)
    other.locator("#body").press("Enter")

    expect(bubble(page, "Only once, please")).to_contain_text("Delivered")
    expect(page.locator("#body")).to_have_value("")
    page.locator("#body").press("Enter")
    assert product.handed_over(handset) == ["Only once, please"]


def test_drafts_of_a_month_ago_are_dropped_and_no_younger_ones(page: Page, product: Product, handset: str) -> None:
    conversation = product.conversation(handset.removeprefix("+"))
    page.evaluate(
        """id => {
          const days = 24 * 60 * 60 * 1000;
          const begun = (body, ago) => JSON.stringify({ body, at: Date.now() - ago * days });
          localStorage.setItem("draft:999:1", begun("somebody's old words", 31));
          localStorage.setItem(`draft:${document.body.dataset.user}:${id}`, begun("last month's", 29));
        }""",
        conversation,
    )
    page.reload()

    expect(page.locator("#body")).to_have_value("last month's")
    assert "old words" not in kept(page)
    drafts = "[...(await import('/static/js/drafts.js')).drafts(document.body.dataset.user)]"
    assert [conversation, "last month's"] in page.evaluate(f"async () => {drafts}")


SECRETS = [
    "Your card 4111 1111 1111 1111",
    "4111-1111-1111-1111 12/27 is it",
    "378282246310005",
    "4111 1111 1111 1111",
    "４１１１１１１１１１１１１１１１",
    "4111​1111​1111​1111",
    "SSN 219-09-9999",
]


def test_what_the_server_would_refuse_to_keep_is_not_kept_here_either(
    page: Page, product: Product, handset: str
) -> None:
    for secret in SECRETS:
        assert redact.redact(secret) != secret
        write(page, "Call 201 555 0123 or 201 555 0100")
        assert "555 0123" in kept(page), secret
        write(page, secret)
        own = f":{product.conversation(handset.removeprefix('+'))}"
        drafts = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:'))")
        assert [key for key in drafts if key.endswith(own)] == [], secret
        expect(page.locator("#draft-saved")).to_contain_text("Not saved")


def test_a_card_number_that_was_tried_is_not_kept_either(desk: Desk, page: Page) -> None:
    desk.expect_complaints(NETWORK)
    page.route("**/messages/", lambda route: route.abort())
    write(page, "My card is 4111 1111 1111 1111")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-error")).to_contain_text("Your text is kept")
    write(page, "My card is in the drawer")

    assert "in the drawer" in kept(page)
    assert "4111" not in kept(page)


# --- The meter ---------------------------------------------------------------------------------------------------


def test_the_meter_says_what_a_text_costs_and_when_it_is_too_long(page: Page) -> None:
    meter, bar = page.locator("#count"), page.locator("#count rect")
    expect(meter).to_be_hidden()
    write(page, "a" * 120)
    expect(meter).to_have_text("120/160 · 1 segment · GSM-7")
    expect(bar).to_have_attribute("width", "75")
    write(page, "a" * 161)
    expect(meter).to_have_text("161/306 · 2 segments · GSM-7")
    expect(meter).not_to_have_class("count bad")
    write(page, "a" * 1531)
    expect(meter).to_have_text("1531/1683 · 11 segments (at most 10) · GSM-7")
    expect(meter).to_have_class("count bad")


def test_screen_readers_hear_of_another_segment_and_not_of_every_key(page: Page) -> None:
    said = page.locator("#count-said")
    page.evaluate(
        """() => {
          window.heard = [];
          const hear = () => window.heard.push(document.getElementById("count-said").textContent);
          new MutationObserver(hear).observe(document.getElementById("count-said"), { childList: true });
        }"""
    )
    page.clock.install()
    for keys in ("a" * 150, "b" * 15, "b", "“"):
        page.locator("#body").press_sequentially(keys)
        page.clock.run_for(2_000)
    expect(said).to_contain_text("“ makes this Unicode")
    heard = page.evaluate("window.heard")
    assert [words.split(" ·")[0] for words in heard] == ["2 segments", "3 segments"]


def test_smart_quotes_go_with_one_click_and_come_back_with_one_undo(page: Page) -> None:
    box, notice = page.locator("#body"), page.locator("#unicode")
    written = "Bring “her” along… it’s at two"
    write(page, written)
    expect(notice).to_have_text("“ ” … ’ makes this Unicode: 70 per segment · Replace")
    box.evaluate("box => box.setSelectionRange(19, 19)")  # after the ellipsis

    notice.get_by_role("button").click()

    expect(box).to_have_value('Bring "her" along... it\'s at two')
    expect(notice).to_be_hidden()
    expect(page.locator("#count")).to_contain_text("GSM-7")
    expect(box).to_be_focused()
    assert box.evaluate("box => [box.selectionStart, box.selectionEnd]") == [21, 21]
    page.keyboard.press("Control+z")
    expect(box).to_have_value(written)
    expect(notice).to_be_visible()


def test_what_cannot_be_replaced_is_named_and_what_can_is_offered(page: Page) -> None:
    notice = page.locator("#unicode")
    write(page, "See you 👍")
    expect(notice.locator("span").first).to_have_text("👍 makes this Unicode: 70 characters per segment")
    expect(notice.get_by_role("button")).to_be_hidden()
    write(page, "See “you” 👍")
    expect(notice.locator("span").first).to_contain_text("👍 “ ” makes this Unicode")
    notice.get_by_role("button", name="Replace “ ”").click()
    expect(page.locator("#body")).to_have_value('See "you" 👍')
    write(page, "tab\there\u00a0and\u200bthere")
    expect(notice).to_contain_text("A tab A non-breaking space An invisible character makes this Unicode")


GSM = [
    "“curly” ‘single’ — dash – … ellipsis",
    "e\u0301te\u0301 and n\u0303",
    "👨‍👩‍👧‍👦 stays, ё too",
    "«guillemets» ′ ″ \u2028 line",
    "",
    *(chr(point) for span in (range(1, 0x3100), range(0xFB00, 0xFFFE)) for point in span),
]


def test_the_browser_replaces_what_the_server_would(desk: Desk) -> None:
    page = desk.sign_in()
    replaced = page.evaluate(
        "async texts => { const { toGsm } = await import('/static/js/quotes.js'); return texts.map(toGsm); }", GSM
    )
    differing = [(text, ours) for text, ours in zip(GSM, replaced, strict=True) if ours != segments.to_gsm(text)]
    assert differing == []


# --- On another machine --------------------------------------------------------------------------------------------


def test_a_draft_is_lost_or_shown_in_another_thread(desk: Desk, page: Page, product: Product, handset: str) -> None:
    """Begun here, finished on another machine, and sent once: nowhere else, and gone on both."""
    other = new_number()
    product.text("Somebody else", sender=other)
    with page.expect_response("**/draft/"):
        page.locator("#body").press_sequentially("Begun at the desk")

    there = opened(desk.sign_in(), product, handset)
    expect(there.locator("#body")).to_have_value("Begun at the desk")
    with there.expect_response("**/draft/"):
        there.locator("#body").press_sequentially(", finished at home")
    opened(there, product, other)
    expect(there.locator("#body")).to_have_value("")

    page.reload()
    expect(page.locator("#body")).to_have_value("Begun at the desk, finished at home")
    page.locator("#body").press("Enter")
    expect(bubble(page, "Begun at the desk, finished at home")).to_contain_text("Delivered")
    opened(there, product, handset)
    expect(there.locator("#body")).to_have_value("")
    assert product.handed_over(other) == []


def test_what_is_typed_just_before_leaving_is_saved(desk: Desk, page: Page, product: Product, handset: str) -> None:
    page.locator("#body").press_sequentially("Typed and left at once")
    page.goto(f"{product.url}/settings/")

    there = desk.sign_in()
    eventually(lambda: opened(there, product, handset).locator("#body").input_value() == "Typed and left at once")
