"""What agents live through in the inbox: real browsers, and everything that runs in production but the carrier."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from contactcenter.lib import segments
from tests.browser.conftest import Desk
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

NETWORK = r"net::ERR_|WebSocket connection to|Failed to load resource|^htmx:|Response Status Error"
_numbers = itertools.count(1)


TO_THE_END = "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(log)"


@pytest.fixture
def handset() -> str:
    """A number that no other test texts from."""
    return f"+1201555{1000 + next(_numbers)}"


def shown(number: str) -> str:
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def opened(page: Page, number: str) -> Page:
    page.locator(".q-row", has_text=shown(number)).click()
    page.locator("#live[data-state=live]").wait_for(state="attached")  # phones show it beside the list only
    return page


def started(desk: Desk, number: str, body: str = "Hello?", username: str = "agent") -> Page:
    """A signed-in page with the conversation of somebody who has just texted."""
    desk.product.text(body, sender=number)
    return opened(desk.sign_in(username), number)


def reply(page: Page, body: str) -> None:
    page.locator("#body").fill(body)
    page.locator("#body").press("Enter")


def bubble(page: Page, body: str):
    return page.locator("#messages .msg", has_text=body)


def test_a_text_appears_to_everybody_without_reload_and_the_reply_is_seen_delivered(
    desk: Desk, product: Product, handset: str
) -> None:
    priya, dana = desk.sign_in("agent"), desk.sign_in("agent2")

    product.text("Can my daughter come along?", sender=handset)
    for page in (priya, dana):
        row = page.locator(".q-row", has_text=shown(handset))
        expect(row).to_contain_text("Can my daughter come along?")
        expect(row).to_contain_text("left")

    opened(priya, handset)
    opened(dana, handset)
    reply(priya, "Of course, bring her along!")

    for page in (priya, dana):
        expect(bubble(page, "Of course, bring her along!")).to_contain_text("Delivered")
        expect(bubble(page, "Of course, bring her along!")).to_contain_text("Priya Nair")
    expect(priya.locator("#body")).to_have_value("")
    assert product.handed_over(handset) == ["Of course, bring her along!"]


def test_a_page_that_was_cut_off_catches_up_by_itself(desk: Desk, product: Product, handset: str) -> None:
    desk.expect_complaints(NETWORK)
    page = started(desk, handset)
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("#live")).to_contain_text("Reconnecting")

    product.text("Are you still there?", sender=handset)
    page.context.set_offline(False)

    expect(bubble(page, "Are you still there?")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("Live")


def test_a_killed_web_server_loses_nothing_and_the_page_recovers(desk: Desk, product: Product, handset: str) -> None:
    desk.expect_complaints(NETWORK)
    page = started(desk, handset)
    page.locator("#body").fill("Half a sentence")

    product.kill_all("contactcenter.web")
    product.text("Texted while nobody answered the door", sender=handset)

    expect(bubble(page, "Texted while nobody answered the door")).to_be_visible(timeout=60_000)
    expect(page.locator("#live")).to_contain_text("Live")
    expect(page.locator("#body")).to_have_value("Half a sentence")
    reply(page, "We are back.")
    expect(bubble(page, "We are back.")).to_contain_text("Delivered")


def test_a_draft_outlives_a_reload_and_stays_in_its_own_thread(desk: Desk, product: Product, handset: str) -> None:
    other = f"+1201555{1000 + next(_numbers)}"
    product.text("Somebody else", sender=other)
    page = started(desk, handset)
    page.locator("#body").fill("Not finished yet")

    page.reload()
    expect(page.locator("#body")).to_have_value("Not finished yet")
    opened(page, other)
    expect(page.locator("#body")).to_have_value("")
    opened(page, handset)
    expect(page.locator("#body")).to_have_value("Not finished yet")


def test_nothing_that_arrives_touches_what_is_being_written(desk: Desk, product: Product, handset: str) -> None:
    page = started(desk, handset)
    page.locator("#body").press_sequentially("I am writ")

    product.text("One more thing", sender=handset)
    expect(bubble(page, "One more thing")).to_be_visible()
    page.keyboard.type("ing")

    expect(page.locator("#body")).to_have_value("I am writing")


def test_a_stop_takes_the_composer_away_at_once_and_is_confirmed_once(
    desk: Desk, product: Product, handset: str
) -> None:
    page = started(desk, handset)
    expect(page.locator("#composer")).to_be_visible()

    product.text("STOP", sender=handset)

    expect(page.locator("#composer")).to_be_hidden()
    expect(page.locator("[data-objection]")).to_contain_text("This person has opted out")
    expect(page.locator("#panel")).to_contain_text("by STOP")
    expect(bubble(page, "You are opted out")).to_contain_text("Delivered")
    product.text("stop", sender=handset)
    expect(page.locator("#messages .msg--in")).to_have_count(3)
    assert len(product.handed_over(handset)) == 1

    page.wait_for_timeout(1100)  # the carrier's clock has whole seconds, and a tie between STOP and START revokes
    product.text("START", sender=handset)
    expect(page.locator("#composer")).to_be_visible()
    for number in range(3):
        product.text(f"Line {number}\n" * 12, sender=handset)
    expect(page.locator("#messages .msg--in")).to_have_count(7)
    expect(bubble(page, "You can get texts from us again")).to_be_attached()
    assert page.evaluate(TO_THE_END) < 40, "the composer took its room back, and the thread stayed at its end"


def test_no_answer_needed_takes_the_row_s_weight_as_well(desk: Desk, product: Product, handset: str) -> None:
    page = started(desk, handset, "Thanks!")
    page.locator("#more-menu > summary").click()
    page.get_by_role("button", name="No answer needed").click()
    expect(page.locator("#toast")).to_contain_text("nobody waits here now")
    expect(page.locator("[data-command=no-answer]")).to_have_count(0)
    expect(page.locator(".q-row", has_text=shown(handset)).locator(".n-badge")).to_have_count(0)


def test_a_card_number_is_neither_kept_nor_sent(desk: Desk, product: Product, handset: str) -> None:
    page = started(desk, handset)
    desk.expect_complaints("422")
    page.locator("#body").fill("Your card 4111 1111 1111 1111")
    assert page.evaluate("JSON.stringify(localStorage)").count("4111") == 0
    page.keyboard.press("Enter")
    expect(page.locator("#composer-error")).to_contain_text("card or social security number")
    assert product.handed_over(handset) == []


def test_signing_out_leads_back_to_signing_in(desk: Desk, product: Product) -> None:
    page = desk.sign_in()
    page.locator(".me summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_reply_that_could_not_be_handed_in_is_kept_and_sent_once_in_the_end(
    desk: Desk, product: Product, handset: str
) -> None:
    desk.expect_complaints(NETWORK)
    page = started(desk, handset)
    page.route("**/messages/", lambda route: route.abort())

    reply(page, "Please hold on")
    expect(page.locator("#composer-error")).to_contain_text("Your text is kept")
    expect(page.locator("#body")).to_have_value("Please hold on")
    page.unroute("**/messages/")
    page.get_by_role("button", name="Try again").click()

    expect(bubble(page, "Please hold on")).to_contain_text("Delivered")
    expect(page.locator("#composer-error")).to_be_hidden()
    assert product.handed_over(handset) == ["Please hold on"]


def test_an_answer_lost_on_its_way_back_does_not_send_twice(desk: Desk, product: Product, handset: str) -> None:
    desk.expect_complaints(NETWORK)
    page = started(desk, handset)

    def swallow(route) -> None:
        route.fetch()  # the server takes it …
        route.abort()  # … and the browser never hears so

    page.route("**/messages/", swallow)
    reply(page, "Only once")

    expect(bubble(page, "Only once")).to_contain_text("Delivered")
    expect(page.locator("#body")).to_have_value("")
    assert product.handed_over(handset) == ["Only once"]


def test_enter_twice_sends_once_and_shift_enter_is_a_new_line(desk: Desk, product: Product, handset: str) -> None:
    page = started(desk, handset)
    page.locator("#body").fill("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(bubble(page, "second line")).to_contain_text("Delivered")
    assert product.handed_over(handset) == ["First line\nsecond line"]


def test_a_text_that_cannot_be_sent_says_what_to_do_and_stays(desk: Desk, handset: str) -> None:
    desk.expect_complaints("422")
    page = started(desk, handset)

    reply(page, "My card is 4111 1111 1111 1111")

    expect(page.locator("#composer-error")).to_contain_text("Take it out")
    expect(page.locator("#body")).to_have_value("My card is 4111 1111 1111 1111")
    expect(page.locator(".msg--out")).to_have_count(0)


def test_who_has_scrolled_up_is_not_moved_but_told(desk: Desk, product: Product, handset: str) -> None:
    for number in range(12):
        product.text(f"Line {number}\n" * 6, sender=handset)
    page = started(desk, handset)
    expect(page.locator("#messages .msg")).to_have_count(13)
    page.locator("#log").evaluate("log => log.scrollTop = 100")

    product.text("The newest of all", sender=handset)

    expect(page.locator("#jump")).to_contain_text("Jump to latest (1)")
    assert page.locator("#log").evaluate("log => log.scrollTop") == 100
    expect(page.locator("#announcer")).to_contain_text("The newest of all")
    page.locator("#jump").click()
    expect(bubble(page, "The newest of all")).to_be_in_viewport()
    expect(page.locator("#jump")).to_be_hidden()


def test_opening_a_conversation_marks_it_read_for_everybody(desk: Desk, product: Product, handset: str) -> None:
    dana = desk.sign_in("agent2")
    product.text("Read me", sender=handset)
    badge = dana.locator(".q-row", has_text=shown(handset)).locator(".n-badge")
    expect(badge).to_contain_text("1")

    opened(desk.sign_in("agent"), handset)

    expect(badge).to_have_count(0)


def test_on_a_phone_there_is_one_pane_and_nothing_scrolls_sideways(desk: Desk, product: Product, handset: str) -> None:
    product.text("https://example.com/" + "long" * 40, sender=handset)
    page = desk.sign_in("agent", viewport={"width": 390, "height": 844})
    expect(page.locator("#queue")).to_be_visible()
    opened(page, handset)

    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#composer")).to_be_visible()
    page.get_by_role("button", name="Contact and consent").click()
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#queue")).to_be_visible()


TEXTS = [
    "",
    "a",
    "\n",
    "a" * 160,
    "a" * 161,
    "a" * 306,
    "a" * 307,
    "€" * 80,
    "€" * 81,
    "a" * 152 + "€" + "b" * 20,
    "[]{}^~|\\" * 20,
    "é" * 160,
    "ç",
    "ç" * 70,
    "ç" * 71,
    "ç" * 134,
    "ç" * 135,
    "👍",
    "👍" * 35,
    "👍" * 36,
    "x" * 66 + "👍" + "x" * 10,
    "👨‍👩‍👧‍👦" * 9,
    "“curly”",
    "ΔΦΓΛΩΠΨΣΘΞ",
    "ёлка" * 40,
    "tab\there",
    "\x0c" * 81,
]


def test_the_browser_counts_segments_as_the_server_does(desk: Desk) -> None:
    page = desk.sign_in()

    counted = page.evaluate(
        "async texts => (await import('/static/js/segments.js')) && "
        "Promise.all(texts.map(async text => (await import('/static/js/segments.js')).count(text)))",
        TEXTS,
    )

    expected = [segments.count(text) for text in TEXTS]
    assert counted == [
        {"encoding": one.encoding, "units": one.units, "segments": one.segments, "room": one.room} for one in expected
    ]
