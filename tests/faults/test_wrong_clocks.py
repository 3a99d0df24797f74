"""What a clock that was wrong for a moment leaves behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import heartbeats


@pytest.mark.django_db
def test_a_heartbeat_of_a_clock_that_was_ahead_does_not_hide_for_an_hour_that_it_is_dead():
    now = timezone.now()
    heartbeats.beat(heartbeats.CLOCK, now=now + timedelta(hours=1))
    assert heartbeats.CLOCK in heartbeats.overdue()
    heartbeats.beat(heartbeats.CLOCK, now=now)
    assert heartbeats.CLOCK not in heartbeats.overdue()
