"""Which bodies are accepted: our own rules, held against the published description where it is at hand."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from vonage_messages import models

from sandbox import receipts, rules
from sandbox.receipts import Message

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/vonage/messages-openapi-1.11.0.json"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
TO, FROM, URL = "12015550123", "12015550100", "https://example.com/a"


def body(channel: str = "sms", message_type: str = "text", **more: object) -> dict[str, object]:
    content = {"text": "Hello"} if message_type == "text" else {}
    return {"channel": channel, "message_type": message_type, "to": TO, "from": FROM} | content | more


GOOD = [
    body(),
    body(text=""),
    body(ttl=3600, client_ref="x" * 100, webhook_url=URL, webhook_version="v1", sms={"encoding_type": "auto"}),
    body(failover=[body("mms")]),
    body("mms", "content", content=[{"type": "image", "url": URL}, {"type": "vcard", "url": URL}]),
    *(body("mms", kind, **{kind: {"url": URL, "caption": "c"}}) for kind in ("image", "vcard", "audio", "video")),
    body("rcs", rcs={"category": "promotion"}, ttl=300),
    body("rcs", "custom", custom={"a": 1}),
    body("whatsapp", context={"message_uuid": "u"}),
    body("whatsapp", "template", template={"name": "t", "parameters": ["a"]}, whatsapp={"locale": "en_US"}),
    body("whatsapp", "sticker", sticker={"id": "s"}),
    body("whatsapp", "reaction", reaction={"action": "unreact"}, context={"message_uuid": "u"}),
    body("messenger", to="someone", messenger={"category": "response"}),
    body("viber_service", viber_service={"ttl": 30, "action": {"url": URL, "text": "Go"}}),
]
BROKEN = [
    ({}, "Unsupported channel"),
    (body("fax"), "Unsupported channel"),
    (body(channel=["sms"]), "Unsupported channel"),
    (body("sms", "image", image={"url": URL}), "Invalid message type"),
    (body(to="123456"), "Invalid recipient"),
    (body(to=12015550123), "Invalid recipient"),
    (body("messenger", to="x" * 51), "Invalid recipient"),
    (body(**{"from": None}), "Invalid sender"),
    (body(client_ref=7), "Invalid client reference"),
    (body(text=None), "Invalid params"),
    (body(webhook_version="v2"), "Invalid params"),
    (body(failover=[body("mms", "image")]), "Invalid params"),
    (body("mms", "image", image={}), "Invalid params"),
    (body("mms", "image", image={"url": URL, "caption": ""}), "Invalid params"),
    (body("mms", "content", content=[{"type": "song", "url": URL}]), "Invalid params"),
    (body("whatsapp", "template", template={"name": "t"}), "Invalid params"),
    (body("whatsapp", "reaction", reaction={"action": "react"}, context={"message_uuid": "u"}), "Invalid params"),
    (body("whatsapp", "sticker", sticker={"id": "s", "url": URL}), "Invalid params"),
    (body(ttl="3600"), "Invalid channel parameters"),
    (body("mms", ttl=299), "Invalid channel parameters"),
    (body("mms", ttl=259_201), "Invalid channel parameters"),
    (body("rcs", ttl=2_592_001), "Invalid channel parameters"),
    (body("viber_service", viber_service={"ttl": 259_201}), "Invalid channel parameters"),
    (body(sms={"encoding_type": "gsm"}), "Invalid channel parameters"),
    (body("viber_service", viber_service={"action": {"url": URL}}), "Invalid channel parameters"),
    (body("whatsapp", context={}), "Invalid channel parameters"),
]
STRICTER = [
    (body(to="+12015550123"), "Invalid recipient"),
    (body(to="02015550123"), "Invalid recipient"),
    (body(**{"from": ""}), "Invalid sender"),
    (body(client_ref="x" * 101), "Invalid client reference"),
    (body(text="x" * 3201), "Invalid params"),
    (body(ttl=19), "Invalid channel parameters"),
    (body(ttl=604_801), "Invalid channel parameters"),
]
SDK = [
    models.Sms(to=TO, from_=FROM, text="Héllo €"),
    models.Sms(
        to=TO,
        from_=FROM,
        text="t",
        ttl=3600,
        client_ref="r",
        webhook_url=URL,
        webhook_version=models.WebhookVersion.V1,
        sms=models.SmsOptions(encoding_type=models.EncodingType.AUTO, content_id="1", entity_id="2"),
    ),
    models.MmsImage(to=TO, from_=FROM, image=models.MmsResource(url=URL, caption="c"), ttl=300),
    models.WhatsappText(to=TO, from_=FROM, text="t"),
    models.MessengerText(to=TO, from_="brand", text="t"),
    models.ViberText(to=TO, from_="brand", text="t"),
    models.RcsText(to=TO, from_="brand", text="t"),
]


@pytest.fixture(scope="module")
def published() -> dict[str, object]:
    if not PUBLISHED.exists():
        pytest.skip("needs the published description in ../shared/vonage, which is not part of the project")
    return json.loads(PUBLISHED.read_text())


@pytest.fixture(scope="module")
def request_schema(published: dict[str, object]) -> Draft202012Validator:
    path = next(iter(published["paths"].values()))
    schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": published["components"]})


def verdict(raw: object) -> str | None:
    problem = rules.check(raw)
    return problem and problem.title


@pytest.mark.parametrize("good", GOOD)
def test_a_good_body_is_accepted(good: dict[str, object]):
    assert verdict(good) is None


@pytest.mark.parametrize(("broken", "title"), BROKEN + STRICTER)
def test_a_broken_body_is_refused_for_its_reason(broken: dict[str, object], title: str):
    assert verdict(broken) == title


def test_the_parameter_that_is_wrong_is_named():
    told = rules.check(body("mms", "image", image={})).body()

    assert told["invalid_parameters"] == [{"name": "image.url", "reason": "is required."}]


@pytest.mark.parametrize("good", GOOD)
def test_the_description_accepts_what_we_accept(request_schema: Draft202012Validator, good: dict[str, object]):
    assert request_schema.is_valid(good)


@pytest.mark.parametrize(("broken", "title"), BROKEN)
def test_the_description_refuses_what_we_refuse(
    request_schema: Draft202012Validator, broken: dict[str, object], title: str
):
    assert not request_schema.is_valid(broken)


@pytest.mark.parametrize(("broken", "title"), STRICTER)
def test_where_we_are_stricter_the_description_accepts(
    request_schema: Draft202012Validator, broken: dict[str, object], title: str
):
    assert request_schema.is_valid(broken)


@pytest.mark.parametrize("message", SDK, ids=lambda message: type(message).__name__)
def test_what_the_sdk_sends_is_accepted_here_and_by_the_description(
    request_schema: Draft202012Validator, message: models.BaseMessage
):
    sent = json.loads(message.model_dump_json(by_alias=True, exclude_none=True))

    assert verdict(sent) is None
    assert request_schema.is_valid(sent)


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


@st.composite
def bent(draw: st.DrawFn) -> dict[str, object]:
    """A good body with one value, at any depth, removed or replaced."""
    made = copy.deepcopy(draw(st.sampled_from(GOOD)))
    place = made
    while True:
        name = draw(st.sampled_from(sorted(place)))
        if isinstance(place[name], dict) and place[name] and draw(st.booleans()):
            place = place[name]
            continue
        if draw(st.booleans()):
            del place[name]
        else:
            place[name] = draw(JSON)
        return made


@given(bent())
def test_nothing_passes_here_that_the_description_refuses(
    request_schema: Draft202012Validator, made: dict[str, object]
):
    if verdict(made) is None:
        assert request_schema.is_valid(made), made


@given(JSON | st.dictionaries(st.sampled_from(["channel", "message_type", "to", "failover", "text"]), JSON))
def test_checking_never_fails(raw: object):
    rules.check(raw)


@pytest.mark.parametrize("status", ["submitted", "delivered", "rejected"])
def test_receipts_follow_the_description(published: dict[str, object], status: str):
    schema = {"$ref": "#/components/schemas/messageStatusSMS", "components": published["components"]}
    message = Message("aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", TO, FROM, "sms", "ref", 2)

    receipt = receipts.body(message, status, at=AT, reject="1240")

    assert list(Draft202012Validator(schema).iter_errors(receipt)) == []
