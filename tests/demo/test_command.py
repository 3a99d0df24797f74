"""`manage.py seed_demo`: how many, and all or nothing."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from contactcenter.accounts.models import User
from contactcenter.demo import history
from conversations.models import Conversation, Line

PASSWORD = "correct horse battery staple"


@pytest.mark.django_db
def test_none_are_made_when_none_are_wanted(monkeypatch):
    monkeypatch.setenv("DEMO_CONVERSATIONS", "0")
    call_command("seed_demo", password=PASSWORD)
    assert not Conversation.objects.exists()
    assert Line.objects.count() == 3
    assert all(user.check_password(PASSWORD) for user in User.objects.all())


@pytest.mark.django_db
def test_a_number_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("DEMO_CONVERSATIONS", "many")
    with pytest.raises(CommandError, match="many"):
        call_command("seed_demo", password=PASSWORD)


@pytest.mark.django_db
def test_it_says_what_it_does(monkeypatch, capsys):
    monkeypatch.setenv("DEMO_CONVERSATIONS", "2")
    call_command("seed_demo", password=PASSWORD)
    assert "Seeding 2 conversations…" in capsys.readouterr().out
    assert Conversation.objects.count() == 2


@pytest.mark.django_db
def test_a_seed_that_breaks_off_leaves_nothing(monkeypatch):
    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(history.History, "seal", dies)
    with pytest.raises(KeyboardInterrupt):
        call_command("seed_demo", password=PASSWORD, conversations=3)
    assert not Conversation.objects.exists()
    assert connection.features.uses_savepoints


@pytest.mark.django_db
def test_another_password_is_everybody_s_from_then_on():
    call_command("seed_demo", password=PASSWORD, conversations=0)
    call_command("seed_demo", password="another one, just as long", conversations=0)
    assert User.objects.count() == 5
    assert all(user.check_password("another one, just as long") for user in User.objects.all())
