"""The workers' queue through an outage of the database."""

import pytest
from django.db import OperationalError
from django_q.brokers.orm import ORM

from contactcenter import broker


@pytest.mark.django_db(transaction=True)
def test_after_an_outage_the_queue_is_asked_again_soon_and_the_log_says_why(monkeypatch, caplog) -> None:
    answers = iter([OperationalError("the database is restarting"), [(1, b"task")]])

    def dequeue(self):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(ORM, "dequeue", dequeue)
    monkeypatch.setattr(broker, "AGAIN_SECONDS", 0)
    queue = broker.Broker()

    assert [queue.dequeue(), queue.dequeue()] == [None, [(1, b"task")]]
    (record,) = caplog.records
    assert record.name == "contactcenter.broker"
    assert record.getMessage() == "The queue cannot be read now: the database is restarting"
