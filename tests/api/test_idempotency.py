"""The same request twice changes nothing more, also when both come at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connections
from django.utils import timezone

from consent.models import ConsentEvent
from contactcenter.api.models import IdempotencyKey
from contactcenter.clock import DUTIES
from conversations.models import Message
from tests.api.conftest import Caller

PHONE = "+12015550123"


@pytest.fixture
def alert(program):
    return {"to": PHONE, "program": program.slug, "body": "Your card was used in Lisbon. Was it you?"}


def test_the_same_request_gets_the_same_answer_and_does_nothing_more(bank, alert):
    first, again = (
        bank.post("messages/", alert, key="a"),
        bank.post("messages/", dict(reversed(alert.items())), key="a"),
    )
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert Message.objects.count() == 1


@pytest.mark.parametrize("path", ["messages/", "consents/"])
def test_a_key_that_belongs_to_another_request_is_refused(bank, alert, path):
    bank.post("messages/", alert, key="a")
    refused = bank.post(path, {**alert, "body": "Something else"}, key="a")
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("idempotency-key-reused")
    assert Message.objects.count() == 1


def test_keys_of_two_tokens_have_nothing_to_do_with_each_other(bank, a_caller, alert):
    bank.post("messages/", alert, key="a")
    a_caller().post("messages/", alert, key="a")
    assert Message.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "two words", "ключ".encode().decode("latin-1"), "x" * 101])
@pytest.mark.parametrize("path", ["messages/", "consents/", "consents/revocations/"])
def test_a_post_without_a_key_is_refused(bank, path, key):
    refused = bank.send("POST", path, {}, **{"Idempotency-Key": key})
    assert refused.status_code == 400
    assert refused.json()["type"].endswith("idempotency-key-missing")


def test_what_was_refused_can_be_mended_and_sent_again_under_its_key(bank, alert):
    assert bank.post("messages/", {**alert, "body": " "}, key="a").status_code == 422
    assert bank.post("messages/", alert, key="a").status_code == 202


def test_a_crash_half_way_leaves_neither_deed_nor_key(bank, alert, monkeypatch):
    def crash(**_fields):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(IdempotencyKey.objects, "create", crash)
        assert bank.post("messages/", alert, key="a").status_code == 500
    assert not Message.objects.exists()
    assert bank.post("messages/", alert, key="a").status_code == 202


@pytest.mark.parametrize("path", ["messages/", "consents/"])
@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one(bank, alert, program, path):
    consent = {"phone": PHONE, "program": program.slug, "words": "I agree", "method": "at the branch"}
    body = alert if path == "messages/" else consent
    for round_ in range(10):
        together = Barrier(4)

        def post(_, together=together, key=f"round-{round_}"):
            one = Caller(bank.token, bank.secret)
            together.wait()
            try:
                return one.post(path, body, key=key)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(post, range(4)))
        assert {answer.status_code for answer in answers} == {202 if path == "messages/" else 201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 3
    assert (Message.objects.filter(purpose="alert") if path == "messages/" else ConsentEvent.objects).count() == 10


def test_answers_are_forgotten_after_a_day(bank, alert):
    bank.post("messages/", alert, key="a")
    (key,) = IdempotencyKey.objects.all()
    tick = DUTIES[-1]
    tick(key.created_at + timedelta(hours=23, minutes=59))
    assert IdempotencyKey.objects.exists()
    tick(key.created_at + timedelta(hours=24))
    assert not IdempotencyKey.objects.exists()


def test_the_database_keeps_only_what_was_done(bank):
    fields = {"token": bank.token, "key": "a", "request_hash": "x", "body": "{}", "created_at": timezone.now()}
    with pytest.raises(IntegrityError, match="only_what_was_done_is_answered_again"):
        IdempotencyKey.objects.bulk_create([IdempotencyKey(status=422, **fields)])


def test_the_database_keeps_each_key_once(bank):
    fields = {"token": bank.token, "key": "a", "request_hash": "x", "body": "{}", "created_at": timezone.now()}
    with pytest.raises(IntegrityError, match="a_token_uses_a_key_once"):
        IdempotencyKey.objects.bulk_create([IdempotencyKey(status=201, **fields), IdempotencyKey(status=201, **fields)])
