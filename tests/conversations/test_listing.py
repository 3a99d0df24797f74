"""The list: order, pages, views, filters, search; a fixed number of queries; a key that changes as the screen does."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from contactcenter.accounts.models import User
from conversations import contacts, listing, live
from conversations.listing import Listing, Place, Show, View
from conversations.models import Conversation
from conversations.states import Status
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.user()


def named(name: str, **fields: object) -> dict[str, object]:
    return {"contact": factories.contact(name=name, **fields)}


def names(asked: Listing) -> list[str]:
    return [row.contact.name for row in listing.rows(listing.find(asked), search=asked.search)]


# --- Order and pages -----------------------------------------------------------------------------------------------


def test_who_waits_comes_first_by_deadline_and_the_rest_newest_first(user: User) -> None:
    screens.thread(ago=timedelta(hours=2), **named("older"))
    screens.waiting(minutes=30, **named("due later"))
    screens.thread(ago=timedelta(hours=1), **named("newer"))
    screens.waiting(minutes=-5, **named("overdue"))

    assert names(Listing(user.pk, View.ALL)) == ["overdue", "due later", "newer", "older"]


@pytest.mark.parametrize("view", [View.ALL, View.SNOOZED])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_show_every_row_once_even_when_times_tie(user: User, limit: int, view: View) -> None:
    line, now = factories.line(), timezone.now()
    for number in range(8):
        screens.thread(line=line, contact=factories.contact(name=str(number)))
    Conversation.objects.update(last_message_at=now, snoozed_until=now if view == View.SNOOZED else None)
    Conversation.objects.filter(contact__name__in="0123").update(due_at=now)

    asked, seen = Listing(user.pk, view), []
    while True:
        found = listing.find(asked, limit=limit)
        seen += [row.contact.name for row in listing.rows(found)]
        if found.next is None:
            break
        asked = Listing.parse(QueryDict(asked.but(after=found.next).suffix[1:]), user.pk)

    assert sorted(seen) == list("01234567")
    assert seen == names(Listing(user.pk, view))


@pytest.mark.parametrize(
    "text", ["x_20260101T000000.000000+0000_1", "w_yesterday_1", "w_20260101T000000.0+0000", "w__1", "w_1_1_1_1"]
)
def test_a_place_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Place.parse(text)


def test_what_was_asked_for_survives_its_own_query_string(user: User) -> None:
    place = Place(Place.WAITING, timezone.now(), 7)
    asked = Listing(user.pk, View.MINE, Show.UNREAD, 3, "flu & cold", place)

    assert Listing.parse(QueryDict(asked.suffix[1:]), user.pk) == asked


@pytest.mark.parametrize("text", ["view=nobody", "show=x", "line=x", f"line={'9' * 30}", "q=%00"])
def test_nonsense_asks_for_everything(user: User, text: str) -> None:
    assert Listing.parse(QueryDict(text), user.pk) == Listing(user.pk)


# --- Views and filters ---------------------------------------------------------------------------------------------


@pytest.fixture
def desk(user: User) -> User:
    """One conversation of each kind."""
    line = factories.line()
    now = timezone.now()
    screens.thread(line=line, owner=user, **named("mine"))
    screens.waiting(minutes=5, line=line, owner=user, **named("mine, waiting"))
    screens.thread(line=line, owner=factories.user(), **named("a colleague's"))
    screens.thread(line=line, **named("nobody's"))
    screens.thread(line=line, owner=user, snoozed_until=now + timedelta(days=1), **named("snoozed"))
    screens.waiting(minutes=5, line=line, snoozed_until=now + timedelta(days=9), **named("waiting, but snoozed"))
    screens.thread(line=line, owner=user, resolved_at=now, **named("resolved"))
    failed = screens.thread(line=line, owner=user, **named("failed"))
    screens.outgoing(failed, status=Status.FAILED, error_code="1000")
    factories.text_from(failed, "And the person wrote again")
    failed.unread = 0
    failed.save()
    factories.conversation(line=line, contact=factories.contact(name="never spoke"))
    return user


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ({"view": View.MINE}, {"mine", "mine, waiting", "failed"}),
        ({"view": View.UNASSIGNED}, {"nobody's"}),
        ({"view": View.ALL}, {"mine", "mine, waiting", "failed", "a colleague's", "nobody's"}),
        ({"view": View.SNOOZED}, {"snoozed", "waiting, but snoozed"}),
        ({"view": View.ALL, "show": Show.WAITING}, {"mine, waiting", "waiting, but snoozed"}),
        ({"view": View.SNOOZED, "show": Show.WAITING}, {"waiting, but snoozed"}),
        ({"view": View.MINE, "show": Show.UNREAD}, {"mine", "mine, waiting"}),
        ({"view": View.MINE, "show": Show.FAILED}, {"failed"}),
        ({"view": View.ALL, "show": Show.RESOLVED}, {"resolved"}),
        ({"view": View.UNASSIGNED, "show": Show.RESOLVED}, set()),
        ({"view": View.ALL, "line_id": 0}, {"mine", "mine, waiting", "failed", "a colleague's", "nobody's"}),
        ({"view": View.ALL, "line_id": 10**12}, set()),
        ({}, {"mine, waiting"}),
        ({"show": Show.FAILED}, set()),
        ({"show": Show.RESOLVED}, set()),
    ],
)
def test_each_view_and_filter_shows_its_own(desk: User, asked: dict[str, object], seen: set[str]) -> None:
    assert set(names(Listing(desk.pk, **asked))) == seen


# --- Search --------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(user: User) -> User:
    line = factories.line()
    marisol = screens.thread("Is the garage open?", line=line, **named("Marisol Vega", phone="+13125550142"))
    contacts.add_tag(contact=marisol.contact, name="VIP")
    screens.thread("Mi hija también está", "¿Puedo ir?", line=line, **named("José Núñez", phone="+12125550177"))
    screens.thread(
        "I was charged 50% twice, $12.50, claim hc-47581, pat@example.com",
        line=line,
        resolved_at=timezone.now(),
        **named("O'Neil (Pat)"),
    )
    return user


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("marisol", {"Marisol Vega"}),
        ("isol veg", {"Marisol Vega"}),
        ("(312) 555-0142", {"Marisol Vega"}),
        ("5550177", {"José Núñez"}),
        ("garage", {"Marisol Vega"}),
        ("gara open", {"Marisol Vega"}),
        ("TAMBIÉN", {"José Núñez"}),
        ("charged", {"O'Neil (Pat)"}),
        ("o'neil", {"O'Neil (Pat)"}),
        ("50%", {"O'Neil (Pat)"}),
        ("%", set()),
        ("'); DROP TABLE", set()),
        ("!!! :* &", set()),
        ("zeppelin", set()),
        ("12.50", {"O'Neil (Pat)"}),
        ("hc-47581", {"O'Neil (Pat)"}),
        ("47581", {"O'Neil (Pat)"}),
        ("pat@example.com", {"O'Neil (Pat)"}),
        ("vip", {"Marisol Vega"}),
    ],
)
def test_search_finds_names_numbers_and_words(people: User, words: str, seen: set[str]) -> None:
    assert set(names(Listing(people.pk, search=words))) == seen


def test_a_hit_in_a_text_shows_where_and_nothing_else_of_it_is_markup(people: User) -> None:
    conversation = screens.thread("x" * 200 + " <b>garage</b> & more", **named("Late"))
    (found,) = [
        row
        for row in listing.rows(listing.find(Listing(people.pk, search="garage")), search="garage")
        if row.pk == conversation.pk
    ]

    assert found.snippet.startswith("…")
    assert "&lt;b&gt;<mark>garage</mark>&lt;/b&gt; &amp; more" in found.snippet


def test_search_asks_for_a_line_where_one_is_chosen(people: User) -> None:
    other = screens.thread("Is the garage open?", **named("On another line"))

    assert names(Listing(people.pk, search="garage", line_id=other.line_id)) == ["On another line"]


# --- What it costs, and when it changes ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 60])
@pytest.mark.parametrize("search", ["", "open"])
def test_the_list_costs_a_fixed_number_of_queries(
    user: User, count: int, search: str, django_assert_num_queries
) -> None:
    line, tag = factories.line(), "new patient"
    for _ in range(count):
        contacts.add_tag(contact=screens.thread(line=line, owner=user).contact, name=tag)

    asked = Listing(user.pk, View.ALL, search=search)
    with django_assert_num_queries(4 if search else 2):
        found = listing.find(asked)
    with django_assert_num_queries(3):
        for row in listing.rows(found, search=search):
            assert row.line.name
            assert row.last_message
            assert str(row.owner)
            assert [str(one) for one in row.contact.tags.all()] == [tag]
            assert row.is_opted_out is False


def a_new_version(conversation: Conversation) -> None:
    live.changed([conversation.pk])


def a_stop(conversation: Conversation) -> None:
    screens.stop(conversation)


def a_name(conversation: Conversation) -> None:
    contacts.DetailsForm({"name": "Ana"}, instance=conversation.contact).save()


def another_text(conversation: Conversation) -> None:
    screens.thread(line=conversation.line)


@pytest.mark.parametrize("change", [a_new_version, a_stop, a_name, another_text])
def test_the_key_of_a_list_changes_with(change, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "moment", lambda now: None)  # five minutes may end between two looks
    conversation = screens.thread()
    before = listing.find(Listing(user.pk, View.ALL)).key
    assert listing.find(Listing(user.pk, View.ALL)).key == before

    change(conversation)

    assert listing.find(Listing(user.pk, View.ALL)).key != before


def test_a_row_says_that_its_person_has_opted_out_of_its_own_brand(user: User) -> None:
    conversation = screens.thread(**named("Opted out"))
    screens.thread(contact=conversation.contact)
    screens.stop(conversation)

    rows = listing.rows(listing.find(Listing(user.pk, View.ALL)))

    assert {row.pk: row.is_opted_out for row in rows} == {row.pk: row.pk == conversation.pk for row in rows}
