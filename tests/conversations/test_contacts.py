"""What agents note about people: details, tags."""

import pytest

from conversations import contacts
from conversations.models import Contact, Tag
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact() -> Contact:
    return screens.thread().contact


def test_details_are_kept_and_shown_everywhere(contact: Contact) -> None:
    other = screens.thread(contact=contact)
    form = contacts.DetailsForm(
        {"name": "Ana", "reference": "HC-1", "language": "es", "time_zone": " America/Chicago "}, instance=contact
    )

    assert form.is_valid()
    form.save()

    contact.refresh_from_db()
    assert (contact.name, contact.time_zone) == ("Ana", "America/Chicago")
    assert {one.version for one in contact.conversations.all()} == {1}
    assert other in contact.conversations.all()


@pytest.mark.parametrize("zone", ["Chicago", "../etc/passwd", "America/Nowhere", "UTC+1"])
def test_a_zone_that_is_none_is_refused_with_an_example(contact: Contact, zone: str) -> None:
    form = contacts.DetailsForm({"time_zone": zone}, instance=contact)

    assert "America/Chicago" in str(form.errors["time_zone"])


def test_a_tag_is_one_whatever_its_case_and_spaces(contact: Contact) -> None:
    for name in ("New patient", "  new   PATIENT ", "", " \x00 "):
        contacts.add_tag(contact=contact, name=name)

    assert [tag.name for tag in contact.tags.all()] == ["New patient"]
    assert Tag.objects.count() == 1


def test_a_tag_is_taken_from_one_person_only(contact: Contact) -> None:
    other = factories.contact()
    for one in (contact, other):
        contacts.add_tag(contact=one, name="billing")

    contacts.remove_tag(contact=contact, tag_id=Tag.objects.get().pk)

    assert (contact.tags.count(), other.tags.count()) == (0, 1)


def test_nobody_wears_more_tags_than_can_be_read(contact: Contact) -> None:
    for number in range(contacts.TAGS_AT_MOST):
        contacts.add_tag(contact=contact, name=str(number))

    with pytest.raises(contacts.TooManyTags, match="Remove one first"):
        contacts.add_tag(contact=contact, name="one more")
