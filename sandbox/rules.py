"""Which request bodies the Messages API accepts, by channel and message type.

Written from the published description of the API (version 1.11.0), and stricter where its prose or the
official SDK is: ``to`` is digits, ``client_ref`` and SMS texts are bounded, an SMS lives 20 seconds to
a week.
RCS cards and carousels, which the SDK knows and that version does not, are refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandbox import problems
from sandbox.problems import Problem

Reason = str | None
Check = Callable[[object], Reason]

_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_MISSING = object()


class Field(NamedTuple):
    """One parameter: its dotted path, what its value must be, and whether it must be there."""

    path: str
    check: Check
    required: bool = True


def _text(shortest: int = 0, longest: int = 1_000_000) -> Check:
    def check(value: object) -> Reason:
        if not isinstance(value, str):
            return "must be a string."
        if not shortest <= len(value) <= longest:
            return f"must have {shortest} to {longest} characters."
        return None

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: object) -> Reason:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            return f"must be a whole number from {least} to {most}."
        return None

    return check


def _one_of(*words: str) -> Check:
    def check(value: object) -> Reason:
        named = ", ".join(f"`{word}`" for word in words)
        return None if isinstance(value, str) and value in words else f"must be one of {named}."

    return check


def _object(value: object) -> Reason:
    return None if isinstance(value, dict) else "must be an object."


def _number(value: object) -> Reason:
    matches = isinstance(value, str) and _NUMBER.fullmatch(value)
    return None if matches else "must be 7 to 15 digits without plus."


def _attachments(value: object) -> Reason:
    if not isinstance(value, list):
        return "must be a list."
    return next((reason for item in value if (reason := _attachment(item))), None)


def _attachment(value: object) -> Reason:
    if not isinstance(value, dict):
        return "must hold objects."
    fields = (
        Field("type", _one_of("image", "audio", "video", "vcard", "file")),
        Field("url", _text()),
        _CAPTION,
    )
    return next((f"has an item whose {path} {why}" for path, why in _broken(value, fields)), None)


def _parameters(value: object) -> Reason:
    fine = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if fine else "must be a list of strings."


def _sticker(value: object) -> Reason:
    if not isinstance(value, dict) or ("url" in value) == ("id" in value):
        return "must have either `url` or `id`."
    return _text()(value.get("url", value.get("id")))


def _reaction(value: object) -> Reason:
    if not isinstance(value, dict) or value.get("action") not in ("react", "unreact"):
        return "needs an `action`, `react` or `unreact`."
    if value["action"] == "react" and not isinstance(value.get("emoji"), str):
        return "needs an `emoji` to react with."
    return None


_CAPTION = Field("caption", _text(1, 3000), required=False)


def _media(kind: str, *more: Field) -> tuple[Field, ...]:
    return (
        Field(f"{kind}.url", _text()),
        *(field._replace(path=f"{kind}.{field.path}") for field in more),
    )


_TEXT = (Field("text", _text()),)
_CUSTOM = (Field("custom", _object, required=False),)
_PLAIN_CAPTION = _CAPTION._replace(check=_text())
_LONG_URL = Field("url", _text(10, 2000))

_CONTENT: dict[str, dict[str, tuple[Field, ...]]] = {
    "sms": {"text": (Field("text", _text(0, 3200)),)},
    "mms": {
        "text": _TEXT,
        **{kind: _media(kind, _CAPTION) for kind in ("image", "vcard", "audio", "video", "file")},
        "content": (Field("content", _attachments),),
    },
    "rcs": {
        "text": _TEXT,
        **{kind: _media(kind) for kind in ("image", "video", "file")},
        "custom": _CUSTOM,
    },
    "whatsapp": {
        "text": _TEXT,
        "image": _media("image", _CAPTION),
        "audio": _media("audio", _LONG_URL),
        "video": _media("video", _PLAIN_CAPTION),
        "file": _media("file", _PLAIN_CAPTION, Field("name", _text(), required=False)),
        "template": (
            Field("template.name", _text()),
            Field("template.parameters", _parameters, required=False),
            Field("whatsapp.locale", _text()),
            Field("whatsapp.policy", _one_of("deterministic"), required=False),
        ),
        "sticker": (Field("sticker", _sticker),),
        "reaction": (Field("reaction", _reaction), Field("context.message_uuid", _text())),
        "custom": _CUSTOM,
    },
    "messenger": {
        "text": _TEXT,
        "image": _media("image"),
        "audio": _media("audio", _LONG_URL),
        "video": _media("video"),
        "file": _media("file"),
    },
    "viber_service": {
        "text": _TEXT,
        "image": _media("image", _PLAIN_CAPTION),
        "video": (
            *_media("video", _PLAIN_CAPTION, Field("thumb_url", _text(0, 1000))),
            Field("viber_service.duration", _text()),
            Field("viber_service.file_size", _text()),
        ),
        "file": _media("file", Field("name", _text(0, 25), required=False)),
    },
}

_OPTIONS: dict[str, tuple[Field, ...]] = {
    "sms": (
        Field("ttl", _whole(20, 604_800), required=False),
        Field("sms", _object, required=False),
        Field("sms.encoding_type", _one_of("text", "unicode", "auto"), required=False),
        Field("sms.content_id", _text(), required=False),
        Field("sms.entity_id", _text(), required=False),
    ),
    "mms": (Field("ttl", _whole(300, 259_200), required=False),),
    "rcs": (
        Field("ttl", _whole(300, 2_592_000), required=False),
        Field("rcs", _object, required=False),
        Field(
            "rcs.category",
            _one_of("authentication", "transaction", "promotion", "service-request", "acknowledgement"),
            required=False,
        ),
    ),
    "whatsapp": (
        Field("context", _object, required=False),
        Field("whatsapp", _object, required=False),
    ),
    "messenger": (
        Field("messenger", _object, required=False),
        Field("messenger.category", _one_of("response", "update", "message_tag"), required=False),
        Field("messenger.tag", _text(), required=False),
    ),
    "viber_service": (
        Field("viber_service", _object, required=False),
        Field("viber_service.category", _one_of("transaction", "promotion"), required=False),
        Field("viber_service.ttl", _whole(30, 259_200), required=False),
        Field("viber_service.type", _text(), required=False),
    ),
}
_COMMON = (
    Field("webhook_url", _text(), required=False),
    Field("webhook_version", _one_of("v0.1", "v1"), required=False),
)
_ID_RECIPIENTS = frozenset({"messenger"})
_ID_SENDERS = frozenset({"messenger", "viber_service"})


def check(body: object) -> Problem | None:
    """Return what the carrier would answer to a decoded JSON body, or None if it accepts it.

    Says nothing about whether the sender belongs to the account: that is state, not form.
    """
    if not isinstance(body, dict):
        return problems.INVALID_JSON
    return _check_envelope(body) or _check_parameters(body) or _check_failover(body)


def _check_envelope(body: Mapping[str, object]) -> Problem | None:
    channel, message_type = body.get("channel"), body.get("message_type")
    if not isinstance(channel, str) or channel not in _CONTENT:
        return problems.CHANNEL
    if not isinstance(message_type, str) or message_type not in _CONTENT[channel]:
        return problems.MESSAGE_TYPE
    identifier = _text(1, 50)
    if (identifier if channel in _ID_RECIPIENTS else _number)(body.get("to")):
        return problems.RECIPIENT
    if (identifier if channel in _ID_SENDERS else _text(1))(body.get("from")):
        return problems.SENDER
    if _text(0, 100)(body.get("client_ref", "")):
        return problems.CLIENT_REFERENCE
    return None


def _check_parameters(body: Mapping[str, object]) -> Problem | None:
    channel, message_type = str(body["channel"]), str(body["message_type"])
    if broken := _broken(body, _CONTENT[channel][message_type] + _COMMON):
        return problems.PARAMETERS.naming(*broken)
    if broken := _broken(body, _OPTIONS[channel]) + _broken_objects(body, channel):
        return problems.CHANNEL_PARAMETERS.naming(*broken)
    return None


def _check_failover(body: Mapping[str, object]) -> Problem | None:
    following = body.get("failover", [])
    if not isinstance(following, list):
        return problems.PARAMETERS.naming(("failover", "must be a list."))
    return next((problem for item in following if (problem := check(item))), None)


def _broken_objects(body: Mapping[str, object], channel: str) -> list[tuple[str, str]]:
    if channel == "whatsapp" and "context" in body:
        return _broken(body, (Field("context.message_uuid", _text()),))
    if channel == "viber_service" and _at(body, "viber_service.action") is not _MISSING:
        action = (
            Field("viber_service.action.url", _text()),
            Field("viber_service.action.text", _text(0, 30)),
        )
        return _broken(body, action)
    return []


def _broken(body: Mapping[str, object], fields: tuple[Field, ...]) -> list[tuple[str, str]]:
    found = []
    for field in fields:
        value = _at(body, field.path)
        if value is _MISSING:
            if field.required:
                found.append((field.path, "is required."))
        elif reason := field.check(value):
            found.append((field.path, reason))
    return found


def _at(body: Mapping[str, object], path: str) -> object:
    value: object = body
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return _MISSING
        value = value[name]
    return value
