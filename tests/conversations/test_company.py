"""Who is in a conversation: nobody sees themselves, nobody is there for ever, and two pages of one person are one."""

from hypothesis import given
from hypothesis import strategies as st

from conversations.company import VIEWING_SECONDS, WRITING_SECONDS, Company, Doing, Person

ANA, BEN = Person(1, "Ana Ruiz", "AR"), Person(2, "Ben Cho", "BC")
HERE = 7


def others(company: Company, now: float, *, of: Person = ANA) -> list[tuple[str, Doing]]:
    return [(one.person.name, one.doing) for one in company.besides(of.id, HERE, now=now)]


def test_a_colleague_is_seen_until_nothing_more_is_heard() -> None:
    company = Company()
    company.hear(HERE, "b", BEN, Doing.VIEWING, now=0)

    assert others(company, 1) == [("Ben Cho", Doing.VIEWING)]
    assert others(company, VIEWING_SECONDS) == []
    assert others(company, 1, of=BEN) == []
    assert company.besides(ANA.id, HERE + 1, now=1) == []


def test_writing_ends_long_before_being_there() -> None:
    company = Company()
    company.hear(HERE, "b", BEN, Doing.WRITING, now=0)

    (seen,) = company.besides(ANA.id, HERE, now=1)
    assert (seen.doing, seen.seconds, seen.here) == (Doing.WRITING, WRITING_SECONDS - 1, VIEWING_SECONDS - 1)
    assert others(company, WRITING_SECONDS) == [("Ben Cho", Doing.VIEWING)]


def test_saying_that_one_is_still_there_ends_no_writing_and_being_done_does() -> None:
    company = Company()
    company.hear(HERE, "b", BEN, Doing.NOTING, now=0)
    company.renew(HERE, "b", BEN, now=1)
    assert others(company, 2) == [("Ben Cho", Doing.NOTING)]

    company.hear(HERE, "b", BEN, Doing.VIEWING, now=2)
    assert others(company, 2) == [("Ben Cho", Doing.VIEWING)]


def test_two_pages_of_one_person_are_one_and_what_they_write_counts() -> None:
    company = Company()
    company.hear(HERE, "b1", BEN, Doing.WRITING, now=0)
    company.hear(HERE, "b2", BEN, Doing.VIEWING, now=1)
    assert others(company, 2) == [("Ben Cho", Doing.WRITING)]

    company.hear(HERE, "b1", BEN, Doing.GONE, now=3)
    assert others(company, 3) == [("Ben Cho", Doing.VIEWING)]
    company.hear(HERE, "b2", BEN, Doing.GONE, now=4)
    assert company.pages == {}


def test_who_writes_comes_first() -> None:
    company = Company()
    for number, (name, doing) in enumerate(
        [("Zoe", Doing.WRITING), ("Ada", Doing.VIEWING), ("Bob", Doing.NOTING), ("Cy", Doing.WRITING)]
    ):
        company.hear(HERE, name, Person(number + 10, name, name[0]), doing, now=0)
    assert [name for name, _ in others(company, 1)] == ["Cy", "Zoe", "Bob", "Ada"]


words = st.tuples(
    st.sampled_from([ANA, BEN]),
    st.sampled_from(["one", "two"]),
    st.sampled_from([*Doing, None]),
    st.sampled_from([HERE, HERE + 1]),
    st.floats(0, 40),
)


@given(st.lists(words, max_size=30))
def test_whatever_is_said_everybody_is_forgotten_in_the_end_and_never_seen_by_themselves(said) -> None:
    company, now = Company(), 0.0
    for person, page, doing, conversation, later in said:
        now += later
        if doing is None:
            company.renew(conversation, f"{person.id}{page}", person, now=now)
        else:
            company.hear(conversation, f"{person.id}{page}", person, doing, now=now)
        for reader in (ANA, BEN):
            seen = company.besides(reader.id, conversation, now=now)
            assert reader not in [one.person for one in seen]
            assert all(0 < one.seconds <= one.here < VIEWING_SECONDS + 1e-6 for one in seen)
    for conversation in (HERE, HERE + 1):
        assert company.besides(0, conversation, now=now + VIEWING_SECONDS) == []
    company.sweep(now + 2 * VIEWING_SECONDS)
    assert company.pages == {}
