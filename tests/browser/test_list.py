"""The list of conversations: what agents see of it, and that it never moves under their hands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.people import People, settings
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

LOW = {"width": 1440, "height": 560}


@pytest.fixture
def people(product: Product) -> Iterator[People]:
    people = People(product)
    yield people
    people.leave()


def opened(desk: Desk, people: People, username: str = "agent", **options) -> Page:
    """The list of these people, live."""
    page = desk.sign_in(username, **options)
    page.goto(people.inbox)
    page.locator("#live[data-state=live]").wait_for(state="attached")
    return page


# --- It stays where it is ------------------------------------------------------------------------------------------


def test_the_row_under_the_pointer_stays_while_the_list_is_sorted_anew(desk: Desk, people: People) -> None:
    for name in ("Ada", "Ben", "Cleo", "Dirk", "Emil"):
        people.text(name)
    page = opened(desk, people)
    expect(people.row(page, "Emil")).to_contain_text("Emil")
    assert people.names(page) == ["Ada", "Ben", "Cleo", "Dirk", "Emil"]
    people.row(page, "Ben").hover()
    before = people.top(page, "Ben")

    people.answer("Ben")

    expect(people.row(page, "Ben")).to_contain_text("We are on it.")
    assert people.top(page, "Ben") == pytest.approx(before, abs=1), (
        "answered, it belongs below those who wait; but somebody points at it"
    )
    assert page.locator("#list li:hover").get_attribute("id") == f"c-{people.ids['Ben']}"
    page.mouse.move(900, 300)
    expect(page.locator("#list li[id]").last).to_have_id(f"c-{people.ids['Ben']}")


def test_rows_that_go_away_above_the_pointer_do_not_move_what_it_points_at(desk: Desk, people: People) -> None:
    for name in ("Ada", "Ben", "Cleo", "Dirk"):
        people.text(name)
    page = opened(desk, people)
    people.row(page, "Cleo").hover()
    before = people.top(page, "Cleo")

    people.as_dana("Ada", "resolve")

    expect(people.row(page, "Ada")).to_have_count(0)
    assert people.top(page, "Cleo") == pytest.approx(before, abs=1)
    page.mouse.move(900, 300)
    expect(page.locator("#list li[id]").nth(1)).to_have_id(f"c-{people.ids['Cleo']}")


def test_who_has_scrolled_down_keeps_what_they_read_and_the_focus(desk: Desk, people: People) -> None:
    names = [f"Person {number}" for number in range(14)]
    for name in names:
        people.text(name)
    page = opened(desk, people, viewport=LOW)
    people.row(page, names[11]).locator("a").focus()
    before = people.top(page, names[11])
    neighbour = people.top(page, names[10])
    assert page.locator("#list").evaluate("list => list.scrollTop") > 0

    people.as_dana(names[0], "resolve")
    people.as_dana(names[1], "resolve")

    expect(people.row(page, names[1])).to_have_count(0)
    assert people.top(page, names[11]) == pytest.approx(before, abs=1)
    assert people.top(page, names[10]) == pytest.approx(neighbour, abs=1)
    assert page.evaluate("document.activeElement.closest('li').id") == f"c-{people.ids[names[11]]}"


def test_a_focused_row_that_goes_away_hands_the_focus_to_the_next(desk: Desk, people: People) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        people.text(name)
    page = opened(desk, people)
    people.row(page, "Ben").locator("a").focus()

    people.as_dana("Ben", "resolve")

    expect(people.row(page, "Ben")).to_have_count(0)
    expect(people.row(page, "Cleo").locator("a")).to_be_focused()


def test_opening_a_conversation_leaves_the_list_where_it_was(desk: Desk, people: People) -> None:
    names = [f"Person {number}" for number in range(14)]
    for name in names:
        people.text(name)
    page = opened(desk, people, viewport=LOW)
    people.row(page, names[9]).locator("a").scroll_into_view_if_needed()
    before = people.top(page, names[9])

    people.row(page, names[9]).click()

    expect(page.locator("#contact-name")).to_have_text(names[9])
    assert people.top(page, names[9]) == pytest.approx(before, abs=1)
    expect(people.row(page, names[9]).locator("[aria-current=true]")).to_have_count(1)


# --- What its rows say ---------------------------------------------------------------------------------------------


def test_a_draft_shows_in_its_row_until_it_is_gone(desk: Desk, people: People) -> None:
    people.text("Ada", "Do you open on Saturday?")
    people.text("Ben")
    page = opened(desk, people)
    people.row(page, "Ada").click()
    page.locator("#body").fill("Yes, from nine")
    expect(people.row(page, "Ada")).to_contain_text("Do you open on Saturday?")  # the open one shows it in its box

    people.row(page, "Ben").click()
    expect(page.locator("#contact-name")).to_have_text("Ben")
    expect(people.row(page, "Ada").locator(".q-prev:visible")).to_have_text("Draft: Yes, from nine")
    people.text("Cleo", "Another text")
    expect(people.row(page, "Cleo")).to_contain_text("Another text")
    expect(people.row(page, "Ada").locator(".q-prev:visible")).to_have_text("Draft: Yes, from nine")

    people.row(page, "Ada").click()
    page.locator("#body").fill("")
    people.row(page, "Ben").click()
    expect(people.row(page, "Ada").locator(".q-prev:visible")).to_have_text("Do you open on Saturday?")


def test_the_open_row_stays_marked_and_counts_follow_what_happens(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people, "supervisor")  # whose queues are all of them
    people.row(page, "Ada").click()
    expect(people.row(page, "Ada").locator("a")).to_have_attribute("aria-current", "true")
    everybody = int(page.locator("[data-command=view-all] .c").inner_text())
    waiting = int(page.locator("#waiting span").first.inner_text())

    people.text("Ben", "I am new here")

    expect(people.row(page, "Ben")).to_contain_text("I am new here")
    expect(page.locator("[data-command=view-all] .c")).to_have_text(str(everybody + 1))
    expect(page.locator("#waiting span").first).to_have_text(str(waiting + 1))
    expect(people.row(page, "Ada").locator("a")).to_have_attribute("aria-current", "true")


def test_the_filter_says_what_is_left_out_and_takes_it_back(desk: Desk, people: People) -> None:
    people.text("Ada")
    people.text("Ben")
    people.answer("Ben")
    page = opened(desk, people)
    page.locator("#filter summary").click()
    page.get_by_role("link", name="Needs a reply").click()

    expect(page.locator(".chip")).to_have_count(2)
    assert people.names(page) == ["Ada"]

    page.get_by_role("link", name="No longer only: Needs a reply").click()
    expect(people.row(page, "Ben")).to_be_visible()
    expect(page.locator(".chip")).to_have_count(1)


# --- Search --------------------------------------------------------------------------------------------------------


def test_search_finds_names_and_texts_while_one_types_and_escape_ends_it(desk: Desk, people: People) -> None:
    people.text("Zebulon", "Where do I park?")
    people.text("Ben", "My zeppelin has landed")
    people.text("Cleo")
    page = opened(desk, people)
    people.row(page, "Cleo").click()
    field = page.get_by_role("searchbox", name="Search conversations")

    field.press_sequentially("zepp")
    expect(people.row(page, "Zebulon")).to_have_count(0)
    expect(people.row(page, "Ben").locator("mark")).to_have_text("zeppelin")
    expect(page.locator("#found")).to_have_text("1 conversation found")
    expect(page).to_have_url(f"{people.product.url}/inbox/{people.ids['Cleo']}/?view=all&line={people.line_id}&q=zepp")

    field.fill("Zebu")
    expect(people.row(page, "Zebulon")).to_be_visible()
    expect(people.row(page, "Ben")).to_have_count(0)
    field.press("Escape")
    expect(field).to_have_value("")
    expect(people.row(page, "Cleo").locator("a")).to_have_attribute("aria-current", "true")
    expect(people.row(page, "Ben")).to_be_visible()
    expect(page).to_have_url(f"{people.product.url}/inbox/{people.ids['Cleo']}/?view=all&line={people.line_id}")


def test_a_search_without_hits_says_so_and_what_to_do(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people)

    page.get_by_role("searchbox", name="Search conversations").fill("nobody is called that")

    expect(page.locator("#list .empty")).to_contain_text("Nothing found for “nobody is called that”")
    page.get_by_role("link", name="Show all conversations").click()
    expect(people.row(page, "Ada")).to_be_visible()


def test_what_is_typed_on_while_the_answer_comes_stays(desk: Desk, people: People) -> None:
    people.text("Annabel")
    people.text("Anton")
    page = opened(desk, people)
    field = page.get_by_role("searchbox", name="Search conversations")

    field.press_sequentially("Anna", delay=120)
    expect(people.row(page, "Anton")).to_have_count(0)
    field.press_sequentially("bel", delay=120)

    expect(field).to_have_value("Annabel")
    expect(field).to_be_focused()
    expect(people.row(page, "Annabel")).to_be_visible()


# --- On to the next ------------------------------------------------------------------------------------------------


def test_resolving_goes_on_to_the_next_one_and_from_the_last_one_back(desk: Desk, people: People) -> None:
    people.text("Ada")
    people.text("Ben")
    people.text("Cleo")
    page = opened(desk, people)
    people.row(page, "Ben").click()

    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#contact-name")).to_have_text("Cleo")
    expect(people.row(page, "Cleo").locator("a")).to_be_focused()
    expect(people.row(page, "Ben")).to_have_count(0)

    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#contact-name")).to_have_text("Ada")

    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#list .empty")).to_be_visible()


# --- Attention -----------------------------------------------------------------------------------------------------

SILENT = """
window.chimes = 0;
window.AudioContext = class {
  currentTime = 0;
  destination = {};
  constructor() { window.chimes += 1; }
  close() {}
};
const param = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
const node = { connect: (next) => next, start() {}, stop() {}, gain: param };
window.OscillatorNode = function () { return node; };
window.GainNode = function () { return node; };
"""


@pytest.fixture
def samuel(product: Product) -> Iterator[int]:
    """A supervisor who wants to be told: his id."""
    settings(product, "supervisor", single_keys="on", plays_sound="on", counts_in_title="on")
    yield int(product.rows("SELECT id FROM accounts_user WHERE username = 'supervisor'")[0][0])
    settings(product, "supervisor", single_keys="on")


def test_the_title_counts_and_a_sound_tells_what_is_new_in_ones_own_conversations(
    desk: Desk, people: People, samuel: int
) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        people.text(name)
        people.as_dana(name, "no-answer-needed")
    page = opened(desk, people, "supervisor")
    people.give("Ada", samuel)
    page.context.add_init_script(SILENT)
    page.reload()
    page.locator("h1").first.click()  # a page may sound only after somebody used it
    expect(page).to_have_title("Inbox")

    people.text("Ben", "Not his business")
    expect(people.row(page, "Ben")).to_contain_text("Not his business")
    expect(page).to_have_title("Inbox")
    assert page.evaluate("chimes") == 0

    people.text("Ada", "His business")
    expect(page).to_have_title("(1) Inbox")
    assert page.evaluate("chimes") == 1

    people.row(page, "Ada").click()
    expect(page).to_have_title("Ada · Inbox")
    page.locator("#log").click()
    people.text("Ada", "Seen as it comes")
    expect(page.locator("#messages")).to_contain_text("Seen as it comes")
    expect(people.row(page, "Ada")).to_contain_text("Seen as it comes")
    assert page.evaluate("chimes") == 0, "nothing sounds for the conversation that somebody looks at"


def test_who_did_not_ask_is_left_in_peace(desk: Desk, people: People) -> None:
    people.text("Ada")
    dana = int(people.product.rows("SELECT id FROM accounts_user WHERE username = 'agent2'")[0][0])
    people.as_dana("Ada", "assign", owner=str(dana))
    page = opened(desk, people, "agent2")
    page.evaluate(SILENT)

    people.text("Ben")
    people.as_dana("Ben", "assign", owner=str(dana))

    expect(people.row(page, "Ben")).to_contain_text("Ben")
    expect(page).to_have_title("Inbox")
    assert page.evaluate("chimes") == 0


# --- Small screens -------------------------------------------------------------------------------------------------


def test_nothing_scrolls_sideways_at_320_pixels(desk: Desk, people: People) -> None:
    people.text("Bartholomew Featherstonehaugh-Cholmondeley-Warner", "long" * 40)
    people.as_dana("Bartholomew Featherstonehaugh-Cholmondeley-Warner", "tags", name="a tag of many words")
    page = opened(desk, people, viewport={"width": 320, "height": 640})
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    assert page.locator("#list").evaluate("list => list.scrollWidth <= list.clientWidth")

    page.locator("#filter summary").click()
    assert page.evaluate(fits)
    expect(page.get_by_role("link", name="Needs a reply")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator("#me summary").click()
    assert page.evaluate(fits)
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    assert page.evaluate(fits)
    expect(page.get_by_role("textbox", name="Find a command")).to_be_in_viewport()


# A desktop that writes down what it is told, and a page that somebody else's window covers when the test says so.
DESKTOP = """
window.told = [];
window.isCovered = false;
document.hasFocus = () => !window.isCovered;
window.Notification = class {
  static permission = "granted";
  static requestPermission() { return Promise.resolve(window.answer ?? "granted"); }
  constructor(words, { tag }) { window.told.push([words, tag]); window.shown = this; }
  close() {}
};
"""


def test_the_desktop_tells_of_ones_own_work_and_of_nothing_that_is_looked_at(
    desk: Desk, people: People, samuel: int, product: Product
) -> None:
    for name in ("Ada", "Ben"):
        people.text(name)
        people.as_dana(name, "no-answer-needed")
    settings(product, "supervisor", single_keys="on", notifies="on")
    page = opened(desk, people, "supervisor")
    people.give("Ada", samuel)
    page.context.add_init_script(DESKTOP)
    page.reload()
    page.locator("#live[data-state=live]").wait_for(state="attached")
    expect(people.row(page, "Ada")).to_be_visible()
    assert page.evaluate("told") == [], "what was there before is no news"

    people.text("Ada", "Looked at")
    expect(people.row(page, "Ada")).to_contain_text("Looked at")
    assert page.evaluate("told") == []

    page.evaluate("isCovered = true")
    people.text("Ben", "Not his business")
    expect(people.row(page, "Ben")).to_contain_text("Not his business")
    assert page.evaluate("told") == []

    people.give("Ben", samuel)
    eventually(lambda: page.evaluate("told.length") == 1)
    assert page.evaluate("told") == [["A new text for you", "inbox"]], "given with an unread text"
    page.evaluate("shown.onclick()")
    page.wait_for_url("**/inbox/?view=mine&show=unread")


def test_the_switch_for_notifications_goes_back_where_the_browser_refuses(desk: Desk, product: Product) -> None:
    page = desk.sign_in("agent2")
    page.context.add_init_script(DESKTOP)
    page.goto(f"{product.url}/settings/")
    switch = page.get_by_role("switch", name="Desktop notifications")

    page.evaluate("answer = 'denied'")
    switch.click()
    expect(switch).not_to_be_checked()
    expect(page.locator("#notifies-refused")).to_be_visible()

    page.evaluate("answer = 'granted'")
    switch.click()
    expect(switch).to_be_checked()
    expect(page.locator("#notifies-refused")).to_be_hidden()
