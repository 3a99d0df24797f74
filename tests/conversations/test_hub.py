"""The hub and the socket, against a real Valkey."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.layers import channel_layers
from channels.routing import URLRouter
from django.test import Client

from conversations import consumers, hub, live
from conversations.company import Doing, Person
from conversations.sockets import websocket_urlpatterns
from tests import factories

# One after the other: they drop the connections of everybody who listens.
pytestmark = [pytest.mark.asyncio, pytest.mark.xdist_group("hub")]


@pytest_asyncio.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[hub.Hub]:
    """A hub that hears itself, with short times so that outages are short too."""
    monkeypatch.setattr(hub, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(hub, "GAP_SECONDS", 1.0)
    monkeypatch.setattr(hub, "TIMEOUT_SECONDS", 0.8)
    it = hub.Hub()
    monkeypatch.setattr(consumers, "hub", it)
    await it.start()
    await until(lambda: it.is_healthy)
    yield it
    await it.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def listener(it: hub.Hub, *topics: str) -> hub.Outbox:
    outbox = hub.Outbox()
    outbox.topics = frozenset(topics)
    it.add(outbox)
    return outbox


async def heard(outbox: hub.Outbox, wanted: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            for text in await outbox.take():
                message = json.loads(text)
                if message["type"] == wanted:
                    return message


async def posted_until_heard(outbox: hub.Outbox, *signals: list[Any]) -> dict[str, Any]:
    """A signal is a hint and may be lost while a busy machine makes the hub subscribe anew: then it is posted again."""
    hearing = asyncio.create_task(heard(outbox, "signals"))
    while not hearing.done():
        await post(*signals)
        await asyncio.wait([hearing], timeout=1)
    return await hearing


async def post(*signals: list[Any]) -> None:
    layer = channel_layers.make_backend("default")
    await layer.group_send(live.GROUP, {"type": "signals", "signals": list(signals)})
    await layer.flush()


async def test_signals_from_another_process_reach_who_listens_to_their_topic(running: hub.Hub) -> None:
    outbox, deaf = listener(running, "conversation"), listener(running)

    message = await posted_until_heard(outbox, ["conversation", 7, 3], ["line", 1, 1])

    assert message["signals"] == [{"topic": "conversation", "id": 7, "version": 3}]
    assert not [text for text in deaf.waiting if "signals" in text]  # everybody is told of a gap on a busy machine


async def test_who_has_a_conversation_open_is_told_at_once_and_everybody_of_everything_once() -> None:
    it = hub.Hub()
    reader, other = listener(it, "conversation"), listener(it, "conversation")
    reader.open = 7

    def told(outbox: hub.Outbox) -> list[list[tuple[int, int]]]:
        texts, outbox.waiting = list(outbox.waiting), type(outbox.waiting)()
        return [[(signal["id"], signal["version"]) for signal in json.loads(text)["signals"]] for text in texts]

    it.told_at = asyncio.get_running_loop().time()  # the others were told just now
    it.fan_out([["conversation", 7, 1], ["conversation", 8, 1]])
    it.fan_out([["conversation", 8, 2], ["conversation", 7, 2]])

    assert told(reader) == [[(7, 1)], [(7, 2)]]
    assert told(other) == []
    await until(lambda: bool(other.waiting))
    assert told(other) == [[(7, 2), (8, 2)]]
    assert told(reader) == [[(8, 2)]]


async def test_after_valkey_dropped_every_connection_all_sockets_resync_and_signals_flow_again(
    running: hub.Hub,
) -> None:
    outbox = listener(running, "conversation")

    await drop_connections()

    await heard(outbox, "resync")
    await until(lambda: running.is_healthy)
    assert (await posted_until_heard(outbox, ["conversation", 8, 1]))["signals"][0]["id"] == 8


async def drop_connections() -> None:
    import redis.asyncio
    from django.conf import settings

    client = redis.asyncio.from_url(settings.REDIS_URL)
    await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await client.aclose()


async def test_a_frozen_layer_turns_the_hub_unhealthy_and_its_thaw_tells_sockets_to_resync(
    running: hub.Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = listener(running, "conversation")
    make = channel_layers.make_backend
    monkeypatch.setattr(channel_layers, "make_backend", lambda name: Frozen())
    await drop_connections()
    await until(lambda: not running.is_healthy)
    outbox.waiting.clear()

    monkeypatch.setattr(channel_layers, "make_backend", make)

    await heard(outbox, "resync")
    assert running.is_healthy


class Frozen:
    """A channel layer whose server took the connection and says nothing."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def never(*args: Any) -> None:
            await asyncio.Event().wait()

        return never


async def test_a_socket_that_falls_behind_gets_one_resync_in_place_of_all_it_missed() -> None:
    outbox = hub.Outbox()

    for number in range(hub.OUTBOX_LENGTH + 1):
        outbox.put(str(number))

    assert await outbox.take() == [hub.RESYNC]


async def test_stopping_twice_and_starting_again_is_harmless(running: hub.Hub) -> None:
    await running.stop()
    await running.stop()
    assert not running.is_healthy
    await running.start()
    await running.start()
    await until(lambda: running.is_healthy)


# --- The socket ------------------------------------------------------------------------------------------------


class Page(ApplicationCommunicator):
    """A browser's end of the socket. (The one of ``channels.testing`` needs daphne.)"""

    def __init__(self, session_key: str = "") -> None:
        headers = [(b"cookie", f"sessionid={session_key}".encode())] if session_key else []
        scope = {"type": "websocket", "path": "/ws/", "query_string": b"", "headers": headers, "subprotocols": []}
        super().__init__(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), scope)

    async def connect(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output(10))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        return json.loads((await self.receive_output(10))["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(10)


@database_sync_to_async
def signed_in() -> Client:
    client = Client()
    client.force_login(factories.user())
    return client


@pytest.mark.django_db(transaction=True)
async def test_nobody_is_refused_with_a_code_that_says_sign_in(running: hub.Hub) -> None:
    page = Page()
    await page.connect()

    assert (await page.receive_output(10))["code"] == consumers.SIGNED_OUT
    assert not running.outboxes
    await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_a_subscription_is_confirmed_and_then_brings_signals(running: hub.Hub) -> None:
    client = await signed_in()
    page = Page(client.session.session_key)
    await page.connect()
    await page.say('{"subscribe": ["conversation"]}')
    assert await page.hear() == {"type": "subscribed"}

    running.fan_out([["conversation", 5, 2]])

    message = await page.hear()
    assert message["signals"] == [{"topic": "conversation", "id": 5, "version": 2}]
    await page.disconnect()
    assert not running.outboxes


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"subscribe": "conversation"}', '{"subscribe": ["secrets"]}', "9" * 2000]
)
async def test_what_is_no_subscription_closes_the_socket(running: hub.Hub, text: str) -> None:
    client = await signed_in()
    page = Page(client.session.session_key)
    await page.connect()
    await page.say(text)

    assert (await page.receive_output(10))["code"] == consumers.BAD_MESSAGE
    await page.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_who_signs_out_elsewhere_loses_the_socket(running: hub.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.05)
    client = await signed_in()
    page = Page(client.session.session_key)
    await page.connect()
    assert await page.receive_nothing(0.3)

    await database_sync_to_async(client.logout)()

    assert (await page.receive_output(10))["code"] == consumers.SIGNED_OUT
    await page.disconnect()


# --- Who is in a conversation --------------------------------------------------------------------------------------


def reader(it: hub.Hub, person: Person, opened: int = 7, *, is_seen: bool = True) -> hub.Outbox:
    outbox = hub.Outbox()
    outbox.person = person
    it.subscribe(outbox, frozenset({"conversation"}), opened, is_seen=is_seen)
    return outbox


async def company(outbox: hub.Outbox, *wanted: tuple[str, str]) -> None:
    """Until it is told that these, and no others, do this."""
    async with asyncio.timeout(20):
        while True:
            told = [message for text in await outbox.take() if (message := json.loads(text))["type"] == "company"]
            if told and [(one["name"], one["doing"]) for one in told[-1]["people"]] == list(wanted):
                return


ANA, BEN = Person(1, "Ana", "A"), Person(2, "Ben", "B")


async def test_colleagues_of_two_processes_see_each_other_come_write_and_leave(running: hub.Hub) -> None:
    other = hub.Hub()
    await other.start()
    await until(lambda: other.is_healthy)
    ana, ben = reader(running, ANA), reader(other, BEN)

    await company(ana, ("Ben", "viewing"))
    running.say(ana, None)  # she came before the other process was told of anybody: it hears at her next word
    await company(ben, ("Ana", "viewing"))
    other.say(ben, Doing.WRITING)
    await company(ana, ("Ben", "writing"))
    other.say(ben, Doing.VIEWING)
    await company(ana, ("Ben", "viewing"))
    other.discard(ben)
    await company(ana)
    await other.stop()


async def test_whoever_opens_another_conversation_has_left_the_first(running: hub.Hub) -> None:
    ana, ben = reader(running, ANA), reader(running, BEN)
    await company(ana, ("Ben", "viewing"))

    running.subscribe(ben, frozenset(), 8, is_seen=True)
    await company(ana)


async def test_a_page_that_nobody_sees_shows_nobody_but_is_told(running: hub.Hub) -> None:
    ana = reader(running, ANA)
    ben = reader(running, BEN, is_seen=False)

    await company(ben, ("Ana", "viewing"))
    assert ana.waiting == hub.deque()


async def test_without_valkey_colleagues_of_one_process_still_see_each_other() -> None:
    it = hub.Hub()
    ana, ben = reader(it, ANA), reader(it, BEN)
    it.say(ben, Doing.NOTING)
    await company(ana, ("Ben", "noting"))


@pytest.mark.parametrize("text", ['{"doing": "dancing"}', '{"doing": 1}', '{"doing": null}', '{"doing": ["viewing"]}'])
async def test_nonsense_about_what_somebody_does_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Doing(consumers.said(text)["doing"])
