"""What the workers run. A web process only names these; it never loads them, nor the carrier's SDK."""

from django.utils import timezone

from conversations import dispatch, heartbeats, imports, mailing, nudging


def send_due(lane: str) -> None:
    """Sends what is due in a lane, for a few seconds at most, then asks for a successor if anything is left."""
    heartbeats.beat(f"worker-{lane}", now=timezone.now())
    if dispatch.send_due(lane=lane, clock=timezone.now):
        nudging.nudge(lane)


def send_mail() -> None:
    """Sends emails that are due, for a few seconds at most, then asks for a successor if anything is left."""
    if mailing.send_due(clock=timezone.now):
        nudging.nudge_mail()


def take_in_imports() -> None:
    """Takes imported files in, for a few seconds at most, then asks for a successor if anything is left."""
    if imports.take_in(clock=timezone.now):
        nudging.nudge_imports()
