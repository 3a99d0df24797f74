"""What the network does with a text: carry it, report on it, block it, answer STOP by itself."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from contactcenter.lib import segments
from sandbox import receipts
from sandbox.receipts import Message, Troubles
from sandbox.state import State, Text
from sandbox.webhooks import Courier, Delivery

_EARLY_LIMIT = 5.0  # how long an answer waits for its receipts, when they are to come first
_STOPPED = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
_UNSTOPPED = 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again from this number.'
_ASSIST_STOP = frozenset({"STOP", "END", "QUIT", "CANCEL", "UNSUBSCRIBE"})
_ASSIST_START = frozenset({"START", "JOIN", "UNSTOP"})
_ASSIST_ANSWERS = {
    "stop": "You are unsubscribed and will receive no more messages. Reply START to rejoin.",
    "start": "You are subscribed again. Reply HELP for help, STOP to cancel.",
    "help": "This is an automatic answer. Reply STOP to cancel.",
}


class Carrier:
    """The network behind the API. ``webhooks`` is the product's base address, without a slash at the end."""

    def __init__(self, state: State, courier: Courier, webhooks: str, now: Callable[[], datetime]) -> None:
        self.state = state
        self.courier = courier
        self._webhooks = webhooks
        self.now = now

    def accept(self, body: Mapping[str, object]) -> tuple[Message, Troubles]:
        """Take a checked message over: number it, count it, show it on its handset unless it is refused."""
        to, sender = str(body["to"]), str(body["from"])
        text = shown(body)
        reference = body.get("client_ref")
        message = Message(
            message_uuid=str(uuid.uuid4()),
            to=to,
            sender=sender,
            channel=str(body["channel"]),
            client_ref=None if reference is None else str(reference),
            segments=max(segments.count(text).segments, 1),
        )
        troubles = self._troubles(sender, to)
        self.state.count_accepted(message.client_ref)
        if troubles.reject == "1240":
            self.state.show(to, Text("event", sender, "A text was blocked: opted out (1240)", self.now()))
        elif troubles.reject is None:
            self.state.show(to, Text("business", sender, text, self.now()))
        return message, troubles

    async def report(self, message: Message, troubles: Troubles, webhook_url: object, *, early: bool = False) -> None:
        """Send a message's receipts; with ``early`` return only when each has been tried once."""
        url = str(webhook_url or f"{self._webhooks}/webhooks/vonage/status")
        for after, status in receipts.schedule(troubles):
            body = receipts.body(message, status, at=self.now(), reject=troubles.reject)
            delivery = self._send("status", url, body, after=0 if early else after)
            if early:
                try:
                    await asyncio.wait_for(delivery.tried.wait(), _EARLY_LIMIT)
                except TimeoutError:
                    return

    def text_in(
        self,
        *,
        handset: str,
        line: str,
        text: str,
        copies: int | None = None,
        message_uuid: str | None = None,
    ) -> list[Delivery]:
        """Send a text from a handset to a line, ``copies`` times at once; returns the webhooks under way."""
        fault = self.state.faults.take("inbound_copies", handset) if copies is None else None
        copies = int(fault.value) if fault else copies or 1
        body = self._inbound(handset, line, text, message_uuid or str(uuid.uuid4()))
        url = f"{self._webhooks}/webhooks/vonage/inbound"
        deliveries = [self._send("inbound", url, body) for _ in range(max(1, min(copies, 100)))]
        self.state.show(handset, Text("customer", line, text, self.now(), tuple(deliveries)))
        self._answer_keyword(handset, line, text.strip().upper())
        return deliveries

    def _answer_keyword(self, handset: str, line: str, word: str) -> None:
        kind = self.state.lines.get(line)
        answer = None
        if kind == "toll_free" and word in ("STOP", "UNSTOP"):
            self.state.set_opted_out(line, handset, word == "STOP")
            answer = _STOPPED if word == "STOP" else _UNSTOPPED
        elif kind in ("10dlc", "short_code") and self.state.opt_out_assist:
            if word in _ASSIST_STOP | _ASSIST_START:
                stops = word in _ASSIST_STOP
                self.state.set_opted_out(line, handset, stops)
                answer = _ASSIST_ANSWERS["stop" if stops else "start"]
            elif word == "HELP":
                answer = _ASSIST_ANSWERS["help"]
        if answer:
            self.state.show(handset, Text("network", line, answer, self.now()))

    def _inbound(self, handset: str, line: str, text: str, message_uuid: str) -> dict[str, object]:
        parts = max(segments.count(text).segments, 1)
        words = text.split()
        return {
            "channel": "sms",
            "message_uuid": message_uuid,
            "to": line,
            "from": handset,
            "timestamp": receipts.timestamp(self.now()),
            "text": text,
            "sms": {"num_messages": str(parts), "keyword": words[0].upper() if words else ""},
            "usage": receipts.usage(parts),
            "origin": {"network_code": "310260"},
        }

    def _send(self, kind: str, url: str, body: dict[str, object], *, after: float = 0) -> Delivery:
        party = str(body["from" if kind == "inbound" else "to"])
        unsigned = self.state.faults.take("unsigned_webhooks", party) is not None
        forged = self.state.faults.take("forged_webhooks", party) is not None
        return self.courier.send(Delivery(kind, url, body, unsigned, forged), after=after)

    def _troubles(self, line: str, to: str) -> Troubles:
        if (line, to) in self.state.opted_out:
            return Troubles(reject="1240")
        take = self.state.faults.take
        reject, late = take("reject", to), take("late_receipts", to)
        return Troubles(
            reject=str(int(reject.value)) if reject else None,
            late=late.value if late else 0,
            doubled=take("doubled_receipts", to) is not None,
            disordered=take("disordered_receipts", to) is not None,
            silent=take("no_receipts", to) is not None,
        )


def shown(body: Mapping[str, object]) -> str:
    """Return what a handset shows of a message: its text, or its kind in brackets."""
    text = body.get("text")
    return text if isinstance(text, str) else f"[{body['message_type']}]"


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)
