"""The admin's look: Django's pages in our frame, with nothing that the content policy would refuse."""

import re
from pathlib import Path

import django
import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from consent.models import Hold
from contactcenter.accounts.models import Role
from conversations.models import CarrierEvent, Contact, Line, Message, Tag
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
DJANGO_S = Path(django.__file__).parent / "contrib" / "admin" / "templates" / "admin"
OURS = ROOT / "templates" / "admin"


@pytest.fixture
def administrator(client):
    client.user = factories.user(Role.ADMINISTRATOR, first_name="Ada", last_name="Berg")
    client.force_login(client.user)
    return client


def shown(client, name, *args, **query):
    response = client.get(reverse(f"admin:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def blocks(template):
    return set(re.findall(r"{% block ([\w-]+) %}", template.read_text(encoding="utf-8")))


def test_our_frame_has_every_block_and_id_of_django_s_so_that_an_upgrade_that_adds_one_is_noticed():
    theirs, ours = DJANGO_S / "base.html", OURS / "base.html"
    assert blocks(theirs) <= blocks(ours)
    ids = re.compile(r'\bid="([a-z-]+)"')
    assert {name for name in ids.findall(theirs.read_text()) if "icon" not in name} <= set(
        ids.findall(ours.read_text())
    )


def test_our_style_comes_after_django_s_whatever_page_it_is(administrator):
    line = factories.line()
    for page in (
        shown(administrator, "index"),
        shown(administrator, "conversations_line_changelist"),
        shown(administrator, "conversations_line_change", line.pk),
        shown(administrator, "auth_user_password_change", administrator.user.pk),
        shown(administrator, "consent_program_add", _popup=1),
    ):
        styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        assert styles[0].endswith("css/tokens.css")
        assert styles[-1].endswith("css/admin.css")


def test_both_halves_of_the_product_share_one_theme(administrator):
    assert "data-theme" not in shown(administrator, "index")
    administrator.post(reverse("theme"), {"theme": "dark"})
    page = shown(administrator, "conversations_line_changelist")
    assert '<html lang="en" dir="ltr" data-theme="dark">' in page
    assert f'action="{reverse("theme")}"' in page
    assert "theme.js" not in page
    assert f'href="{reverse("inbox")}"' in page


def test_no_page_needs_an_inline_script_or_style(administrator):
    line, person = factories.line(paused_at=NOON, paused_reason="401"), administrator.user
    message = factories.text_from(factories.conversation(line=line))
    LogEntry.objects.log_actions(person.pk, [line], action_flag=2, change_message="changed")
    for page in (
        shown(administrator, "index"),
        shown(administrator, "app_list", "consent"),
        shown(administrator, "conversations_line_changelist"),
        shown(administrator, "conversations_line_change", line.pk),
        shown(administrator, "conversations_line_history", line.pk),
        shown(administrator, "conversations_line_add"),
        shown(administrator, "consent_program_add"),
        shown(administrator, "consent_brand_add", _popup=1),
        shown(administrator, "conversations_message_change", message.pk),
        shown(administrator, "accounts_user_changelist"),
        shown(administrator, "accounts_user_add"),
        shown(administrator, "accounts_user_change", person.pk),
        shown(administrator, "auth_user_password_change", person.pk),
    ):
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script>", page)


# --- The index -------------------------------------------------------------------------------------------------


TEAMS = ["Team", "RoutingRule", "Disposition"]
ELSEWHERE = ("consent-record", "consent-imports")
RECORDS = ("Subject", "Standing", "ConsentEvent", "Evidence", "Seal")


def test_the_index_is_grouped_by_what_people_look_for(administrator):
    groups = [
        (section["name"], [model["object_name"] for model in section["models"]])
        for section in administrator.get(reverse("admin:index")).context["app_list"]
    ]
    assert groups[:4] == [
        ("Messages", ["CarrierEvent", "Contact", "Message", "Mail"]),
        (
            "Consent",
            ["consent_overview", "consent_rules", *ELSEWHERE, "Review", "Hold", "Decision", *RECORDS],
        ),
        (
            "Settings",
            ["try_routing", "ApiToken", "Tag", "Line", "Brand", "Program", "Disclosure", *TEAMS],
        ),
        ("People", ["Presence", "User"]),
    ]
    assert [name for name, _ in groups[4:]] == ["Tasks"]


def test_a_group_that_one_may_see_nothing_of_is_not_shown(client):
    client.force_login(factories.user(Role.SUPERVISOR))
    names = [section["name"] for section in client.get(reverse("admin:index")).context["app_list"]]
    assert names == ["Messages", "Consent", "Settings", "People"]


def test_the_index_says_what_waits_for_somebody_and_leads_there(administrator):
    factories.carrier_event(factories.text_payload(sender="+12015550123"), state="parked", error="no line", key="a")
    factories.carrier_event(factories.text_payload(sender="+12015550123"), state="parked", error="no line", key="b")
    Hold.objects.create(phone="+12015550123", phone_hash="a", reason="disk full")
    factories.line(paused_at=NOON, paused_reason="401")
    page = administrator.get(reverse("admin:index"))
    said = dict(page.context["waiting"])
    assert list(said) == [
        "2 carrier events could not be applied.",
        "1 line is paused and sends nothing.",
        "1 number is held: nothing is sent to it until somebody releases it.",
    ]
    for words, url in said.items():
        assert words in page.content.decode()
        assert len(administrator.get(url).context["cl"].result_list) == int(words.split()[0])


def test_the_index_says_nothing_when_nothing_waits(administrator):
    Hold.objects.create(phone="+12015550123", phone_hash="a", reason="disk full", released_at=NOON)
    factories.line()
    page = administrator.get(reverse("admin:index"))
    assert page.context["waiting"] == []
    assert "Waiting for somebody" not in page.content.decode()


# --- One record ------------------------------------------------------------------------------------------------


def test_a_button_is_shown_only_where_it_would_do_something(administrator):
    threaded = factories.carrier_event(factories.text_payload(sender="+12015550123"), state="threaded")
    released = Hold.objects.create(phone="+12015550123", phone_hash="a", reason="disk full", released_at=NOON)
    for row in (factories.line(), threaded, released):
        name = f"{row._meta.app_label}_{row._meta.model_name}_change"
        assert 'name="_selected_action"' not in shown(administrator, name, row.pk)
    paused = factories.line(paused_at=NOON, paused_reason="401")
    assert "Resume" in shown(administrator, "conversations_line_change", paused.pk)


def test_a_contact_is_found_by_number_and_changed_only_in_the_inbox(administrator):
    wanted, _other = factories.contact(name="Marisol Vega"), factories.contact(name="Marisol Vega")
    response = administrator.get(reverse("admin:conversations_contact_changelist"), {"q": wanted.phone})
    assert [contact.pk for contact in response.context["cl"].result_list] == [wanted.pk]
    url = reverse("admin:conversations_contact_change", args=[wanted.pk])
    assert administrator.post(url, {"name": "Somebody else"}).status_code == 403
    assert Contact.objects.get(pk=wanted.pk).name == "Marisol Vega"


def test_a_tag_can_be_added_and_renamed_but_not_twice(administrator):
    administrator.post(reverse("admin:conversations_tag_add"), {"name": "check-up due"})
    tag = Tag.objects.get()
    administrator.post(reverse("admin:conversations_tag_change", args=[tag.pk]), {"name": "Check-up due"})
    tag.refresh_from_db()
    assert tag.name == "Check-up due"
    response = administrator.post(reverse("admin:conversations_tag_add"), {"name": "CHECK-UP DUE"})
    assert "a tag of this name already" in response.content.decode()
    assert Tag.objects.count() == 1


def test_what_is_attached_to_a_record_is_a_plain_table(administrator):
    message = factories.text_from(factories.conversation())
    page = shown(administrator, "conversations_message_change", message.pk)
    assert "Receipts" in page
    assert "None." in page
    assert Message.objects.get(pk=message.pk) == message
    assert CarrierEvent.objects.count() == 0
    assert Line.objects.count() == 1
