"""What a simulated socket makes of what it is told."""

import asyncio
import json
from collections.abc import Callable

from bench.browsers import Agent, Listener
from bench.figures import Record, Texts


def listening(check: Callable[[Listener, Record], None]) -> None:
    """Somebody at conversation 70 of person 0; person 1 has conversation 71. Each has sent a text before the run."""

    async def listen() -> None:
        record = Record(Texts(2))
        record.began = 0.0
        listener = Listener(record, "http://127.0.0.1:1", "x", conversation=70, people={70: 0, 71: 1})
        check(listener, record)
        await listener.close()

    asyncio.run(listen())


def signals(*ids: int) -> str:
    return json.dumps({"type": "signals", "signals": [{"topic": "conversation", "id": pk, "version": 1} for pk in ids]})


def test_a_signal_is_noted_once_for_the_person_s_last_text() -> None:
    def check(listener: Listener, record: Record) -> None:
        record.texts.post(2, 1, 5.0)
        listener.hear(signals(71))
        listener.hear(signals(71))

        assert list(record.times["signal"].at) == [5.0]

    listening(check)


def test_a_text_that_nobody_was_told_of_is_missing() -> None:
    def check(listener: Listener, record: Record) -> None:
        assert listener.missing() == 0, "texts from before the run"
        record.texts.post(2, 1, 5.0)
        assert listener.missing() == 1
        listener.hear(signals(70))
        assert listener.missing() == 1, "somebody else's signal"
        listener.hear(signals(71))
        assert listener.missing() == 0

    listening(check)


def test_a_listener_knows_when_it_is_subscribed_and_counts_what_it_lost() -> None:
    def check(listener: Listener, record: Record) -> None:
        listener.hear('{"type": "subscribed"}')
        listener.hear('{"type": "resync"}')

        assert listener.confirmed.is_set()
        assert record.counts["resyncs"] == 1

    listening(check)


def test_an_agent_does_all_that_a_listener_does_and_fetches() -> None:
    fetched: list[str] = []

    class Region:
        def __init__(self, name: str) -> None:
            self.name = name

        def refresh(self) -> None:
            fetched.append(self.name)

    async def listen() -> None:
        record = Record(Texts(2))
        agent = Agent(record, "http://127.0.0.1:1", "x", conversation=70, people={70: 0, 71: 1}, reads=False)
        agent.list, agent.thread, agent.panel = Region("list"), Region("thread"), Region("panel")  # type: ignore[assignment]
        agent.hear(signals(71))
        assert fetched == ["list"]
        agent.hear(signals(70))
        assert sorted(fetched) == ["list", "list", "panel", "thread"]
        await agent.close()

    asyncio.run(listen())
