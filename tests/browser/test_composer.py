"""From a reply's last letter to the carrier: keys, sending, resolving, sending later, and none of it twice."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from tests.browser.conftest import Desk
from tests.browser.writing import bubble, new_number, opened, resolved_at, send_later, write
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

NETWORK = r"net::ERR_|Failed to load resource"
CENTER = ZoneInfo("America/New_York")


@pytest.fixture
def handset() -> str:
    return new_number()


@pytest.fixture
def page(desk: Desk, product: Product, handset: str) -> Page:
    """An agent's page with the conversation of somebody who has just texted."""
    product.text("Hello?", sender=handset)
    return opened(desk.sign_in(), product, handset)


# --- Keys --------------------------------------------------------------------------------------------------------


def test_enter_that_is_still_held_down_from_elsewhere_sends_nothing(page: Page, product: Product, handset: str) -> None:
    write(page, "Not finished")
    page.locator("#log").focus()
    page.keyboard.down("Enter")
    page.locator("#body").focus()
    for _ in range(3):
        page.keyboard.down("Enter")  # the browser says that these are repeats
    page.keyboard.up("Enter")

    expect(page.locator("#body")).to_have_value("Not finished")
    expect(page.locator(".msg--out")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(bubble(page, "Not finished")).to_contain_text("Delivered")
    assert product.handed_over(handset) == ["Not finished"]


def test_enter_held_down_sends_once(page: Page, product: Product, handset: str) -> None:
    write(page, "Once")
    for _ in range(8):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")

    expect(bubble(page, "Once")).to_contain_text("Delivered")
    expect(page.locator("#body")).to_have_value("")
    assert product.handed_over(handset) == ["Once"]


def test_enter_that_ends_a_composition_sends_nothing(page: Page) -> None:
    box, keyboard = page.locator("#body"), page.context.new_cdp_session(page)
    box.focus()
    keyboard.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    composing = box.evaluate_handle(
        "box => new Promise(heard => box.addEventListener('keydown', event => heard(event.isComposing), {once: true}))"
        ".then(isComposing => (window.wasComposing = isComposing)) && window"
    )
    page.keyboard.press("Enter")
    assert composing.evaluate("window => window.wasComposing"), (
        "the browser says that Enter belongs to the input method"
    )
    expect(page.locator(".msg--out")).to_have_count(0)
    expect(box).to_have_value(re.compile("にほん"))

    box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})  # Safari's way of saying so
    expect(page.locator(".msg--out")).to_have_count(0)


def test_ctrl_enter_sends_resolves_and_says_so(page: Page, product: Product, handset: str) -> None:
    page.evaluate("document.addEventListener('conversation:resolved', () => sessionStorage.setItem('moved', 'on'))")
    write(page, "All settled, goodbye!")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#toast")).to_contain_text("Sent and resolved")
    assert eventually(lambda: resolved_at(product, handset))
    assert eventually(lambda: product.handed_over(handset)) == ["All settled, goodbye!"]
    page.wait_for_function("sessionStorage.getItem('moved') === 'on'")


def test_whoever_chose_ctrl_enter_writes_lines_with_enter(page: Page, product: Product, handset: str) -> None:
    page.evaluate("document.body.dataset.sendKey = 'ctrl_enter'")
    expect(page.locator("#composer button[type=submit] .key-ctrl")).to_be_visible()
    expect(page.locator("#composer button[type=submit] .key-enter")).to_be_hidden()
    write(page, "First line")
    page.keyboard.press("Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Control+Enter")

    expect(bubble(page, "second line")).to_contain_text("Delivered")
    assert product.handed_over(handset) == ["First line\nsecond line"]
    assert resolved_at(product, handset) is None


def test_escape_leaves_the_field_and_the_text_in_it(page: Page) -> None:
    write(page, "Half a")
    page.keyboard.press("Escape")

    expect(page.locator("#body")).not_to_be_focused()
    expect(page.locator("#body")).to_have_value("Half a")


def test_the_menu_works_by_keyboard_and_closes_by_itself(page: Page) -> None:
    button, menu = page.get_by_label("More ways to send"), page.locator("#send-menu > .menu")
    button.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Send and resolve")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    # at night the first is "When it is morning there"
    expect(page.locator("#send-menu [data-preset]:visible").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()

    page.keyboard.press("ArrowUp")
    expect(menu).to_be_visible()
    page.locator("#log").click()
    expect(menu).to_be_hidden()


# --- Sending, and not ---------------------------------------------------------------------------------------------


def test_what_is_typed_while_the_answer_is_on_its_way_stays(page: Page, product: Product, handset: str) -> None:
    held: list[Route] = []
    page.route("**/messages/", lambda route: held.append(route))
    write(page, "First thought.")
    page.keyboard.press("Enter")
    expect(bubble(page, "First thought.")).to_contain_text("Sending")
    page.keyboard.type(" Second thought.")
    held[0].continue_()

    expect(bubble(page, "First thought.")).to_contain_text("Delivered")
    expect(page.locator("#body")).to_have_value(" Second thought.")
    assert product.handed_over(handset) == ["First thought."]


def test_a_refused_text_stays_and_says_why(desk: Desk, page: Page, product: Product, handset: str) -> None:
    desk.expect_complaints("422")
    write(page, "a" * 1531)
    page.keyboard.press("Enter")

    expect(page.locator("#composer-error")).to_contain_text("This takes 11 segments")
    expect(page.locator("#composer-error button")).to_be_hidden()
    expect(page.locator("#body")).to_have_value("a" * 1531)
    expect(page.locator(".msg--out")).to_have_count(0)
    write(page, "Short")
    page.keyboard.press("Enter")
    expect(bubble(page, "Short")).to_contain_text("Delivered")
    expect(page.locator("#composer-error")).to_be_hidden()


def test_trying_again_does_what_was_asked_for_at_first(desk: Desk, page: Page, product: Product, handset: str) -> None:
    desk.expect_complaints(NETWORK)
    page.route("**/messages/", lambda route: route.abort())
    write(page, "Tomorrow, then")
    send_later(page)
    page.get_by_role("button", name="Tomorrow").click()
    expect(page.locator("#composer-error")).to_contain_text("Your text is kept")
    expect(page.locator("#body")).to_have_value("Tomorrow, then")
    page.unroute("**/messages/")
    page.get_by_role("button", name="Try again").click()

    expect(bubble(page, "Tomorrow, then")).to_contain_text("Scheduled for")
    expect(page.locator("#body")).to_have_value("")
    assert product.handed_over(handset) == []


def test_a_lost_answer_neither_sends_twice_nor_forgets_to_resolve(
    desk: Desk, page: Page, product: Product, handset: str
) -> None:
    desk.expect_complaints(NETWORK)

    def swallow(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/messages/", swallow)
    write(page, "Goodbye then")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#toast")).to_contain_text("Sent and resolved")
    assert eventually(lambda: resolved_at(product, handset))
    assert eventually(lambda: product.handed_over(handset)) == ["Goodbye then"]


def test_a_reply_that_was_sent_but_not_resolved_says_just_that(
    desk: Desk, page: Page, product: Product, handset: str
) -> None:
    desk.expect_complaints(NETWORK)
    page.route("**/resolve/", lambda route: route.abort())
    write(page, "Sent all the same")
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Send and resolve").click()
    expect(page.locator("#composer-error")).to_contain_text("sent, but the conversation could not be resolved")
    expect(bubble(page, "Sent all the same")).to_contain_text("Delivered")
    page.unroute("**/resolve/")
    page.get_by_role("button", name="Try again").click()

    expect(page.locator("#toast")).to_contain_text("Sent and resolved")
    assert product.handed_over(handset) == ["Sent all the same"]


# --- Later -------------------------------------------------------------------------------------------------------


def due_at(product: Product, number: str) -> datetime:
    query = "SELECT due_at FROM conversations_message WHERE conversation_id = %s AND due_at IS NOT NULL"
    [(at,)] = eventually(lambda: product.rows(query, product.conversation(number.removeprefix("+"))))
    return at


def test_a_text_for_tomorrow_waits_in_the_thread_and_can_be_called_back(
    page: Page, product: Product, handset: str
) -> None:
    write(page, "Good morning!")
    send_later(page)
    page.get_by_role("button", name="Tomorrow").click()

    tomorrow = datetime.now(CENTER).date() + timedelta(days=1)
    expect(bubble(page, "Good morning!")).to_contain_text("Scheduled for")
    expect(page.locator("#composer-status")).to_have_text(f"Scheduled for {tomorrow:%a} 8:00 AM")
    expect(page.locator("#body")).to_have_value("")
    assert due_at(product, handset) == datetime.combine(tomorrow, time(8), CENTER)
    assert product.handed_over(handset) == []

    bubble(page, "Good morning!").get_by_role("button", name="Cancel").click()
    expect(page.locator("#body")).to_have_value("Good morning!")
    expect(page.locator("#body")).to_be_focused()


def test_a_called_back_text_does_not_touch_what_is_being_written(page: Page) -> None:
    write(page, "Something else")
    page.evaluate("document.dispatchEvent(new CustomEvent('message:cancelled', { detail: { body: 'Earlier' } }))")
    expect(page.locator("#body")).to_have_value("Something else")


def test_another_time_is_asked_for_in_words_and_enter_does_not_send_at_once(
    page: Page, product: Product, handset: str
) -> None:
    write(page, "At noon")
    send_later(page)
    expect(page.locator("#composer").get_by_label("Or a time (America/New_York)")).to_be_visible()
    field, error = page.locator("#due"), page.locator("#due-error")
    page.get_by_role("button", name="Schedule").click()
    expect(error).to_have_text("Choose a day and a time first.")
    field.fill("2020-01-01T12:00")
    expect(error).to_be_hidden()
    field.press("Enter")
    expect(error).to_have_text("This time has passed. Choose a later one.")
    expect(field).to_have_attribute("aria-invalid", "true")
    noon = datetime.combine(datetime.now(CENTER).date() + timedelta(days=10), time(12), CENTER)
    field.fill(f"{noon:%Y-%m-%dT%H:%M}")
    field.press("Enter")

    expect(bubble(page, "At noon")).to_contain_text("Scheduled for")
    expect(page.locator("#composer-status")).to_have_text(f"Scheduled for {noon:%b} {noon.day}, 12:00 PM")
    assert due_at(product, handset) == noon
    assert product.handed_over(handset) == []


PRESETS = {
    "2026-11-23T09:41": {  # a Monday
        "hour": "2026-11-23T10:41",
        "evening": "2026-11-23T18:00",
        "tomorrow": "2026-11-24T08:00",
        "monday": "2026-11-30T08:00",
    },
    "2026-11-28T18:00": {  # a Saturday evening
        "hour": "2026-11-28T19:00",
        "tomorrow": "2026-11-29T08:00",
        "monday": "2026-11-30T08:00",
    },
    "2026-11-29T23:30": {"hour": "2026-11-30T00:30", "tomorrow": "2026-11-30T08:00"},  # a Sunday: both are one
    "2026-12-31T07:00": {
        "hour": "2026-12-31T08:00",
        "evening": "2026-12-31T18:00",
        "tomorrow": "2027-01-01T08:00",
        "monday": "2027-01-04T08:00",
    },
}


def test_the_usual_times_are_the_center_s_wherever_the_browser_is(desk: Desk) -> None:
    page = desk.sign_in(timezone_id="Pacific/Auckland")
    found = page.evaluate(
        """async moments => {
          const { fieldValue, fromField, presets } = await import("/static/js/clock.js");
          const usual = (moment) => Object.entries(presets(fromField(moment)));
          const fields = (moment) => Object.fromEntries(usual(moment).map(([name, at]) => [name, fieldValue(at)]));
          return Object.fromEntries(moments.map((moment) => [moment, fields(moment)]));
        }""",
        list(PRESETS),
    )
    assert found == PRESETS


# --- On a phone ---------------------------------------------------------------------------------------------------


def test_on_a_phone_the_composer_is_one_row_and_nothing_overflows(desk: Desk, product: Product, handset: str) -> None:
    product.text("Hello?", sender=handset)
    page = opened(desk.sign_in(viewport={"width": 390, "height": 640}), product, handset)
    send = page.get_by_role("button", name="Send", exact=True)
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 640})
        write(page, "")
        box, button = frame(page.locator("#body")), frame(send)
        assert box["y"] + box["height"] == pytest.approx(button["y"] + button["height"], abs=1)
        assert box["x"] + box["width"] <= button["x"] + 1
        assert min(box["height"], button["height"], button["width"]) >= 44
        write(page, "“" + "long " * 400)
        send_later(page)
        menu = frame(page.locator("#send-menu > .menu"))
        assert min(menu["x"], menu["y"]) >= 0
        assert menu["x"] + menu["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Escape")
    assert page.locator("#body").evaluate("box => getComputedStyle(box).fontSize") == "16px"


def frame(locator: Locator) -> FloatRect:
    found = locator.bounding_box()
    assert found
    return found
