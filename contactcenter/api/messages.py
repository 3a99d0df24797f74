"""``/api/v1/messages/``: alerts from other systems, and what became of them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from consent import reasons
from consent.models import Decision
from consent.purposes import Purpose
from contactcenter.accounts import access
from contactcenter.api import idempotency, schema
from contactcenter.api.fields import MomentField, PhoneField, Strict, program_of, valid
from contactcenter.api.models import ApiToken, Scope
from contactcenter.api.problems import Problem
from contactcenter.api.views import TokenView
from conversations import alerting, joining, outbound, wording
from conversations.models import Message
from conversations.states import Status


class NewAlertSerializer(Strict):
    """A text to one person about one thing, under a program that they agreed to."""

    to = PhoneField(help_text="Their number: E.164, or as people write it in the US.")
    program = serializers.SlugField(help_text="The program's slug; not one for promotions.")
    body = serializers.CharField(max_length=3200, help_text="The text; ten segments at most, no card or social number.")
    ref = serializers.UUIDField(required=False, help_text="Its id, if you make it; left out: we make one.")
    expires_at = MomentField(required=False, help_text="Of no use after; left out: a day from now.")
    waits_for_morning = serializers.BooleanField(
        default=False, help_text="Not between 21:00 and 8:00 wherever they may be; left out: at once, at any hour."
    )


class CarrierErrorSerializer(serializers.Serializer[Any]):
    """Why the carrier did not deliver it."""

    code = serializers.CharField(help_text="The carrier's code, if it gave one.")
    words = serializers.CharField()


class DecisionSerializer(serializers.Serializer[Decision]):
    """What the gate said when the message was about to be sent."""

    verdict = serializers.CharField(help_text="allowed, held or blocked.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    words = serializers.SerializerMethodField(help_text="The reasons in words.")
    held_until = MomentField(allow_null=True)
    decided_at = MomentField()

    def get_words(self, decision: Decision) -> str:
        return reasons.sentences(decision.reasons)


class AlertSerializer(serializers.Serializer[Message]):
    """How an alert stands."""

    ref = serializers.UUIDField()
    url = serializers.SerializerMethodField(help_text="Ask here what became of it.")
    to = serializers.CharField(source="conversation.contact.phone")
    sender = serializers.CharField(source="conversation.line.number", help_text="The line that it comes from.")
    program = serializers.CharField(source="program.slug")
    status = serializers.ChoiceField([status.value for status in Status if status != Status.RECEIVED])
    words = serializers.SerializerMethodField(help_text="The status in words.")
    decision = DecisionSerializer(allow_null=True, help_text="Null until it is about to be sent.")
    error = serializers.SerializerMethodField()
    written_at = MomentField(source="occurred_at")
    expires_at = MomentField()
    handed_over_at = MomentField(allow_null=True, help_text="When it went to the carrier.")
    status_at = MomentField(help_text="When it came into this status.")

    def get_url(self, message: Message) -> str:
        return f"{settings.PUBLIC_URL}{reverse('api-message', args=[message.ref])}"

    def get_words(self, message: Message) -> str:
        return wording.state(message).words

    @extend_schema_field(CarrierErrorSerializer(allow_null=True))
    def get_error(self, message: Message) -> dict[str, str] | None:
        if not message.error_code and not message.error_detail:
            return None
        return {"code": message.error_code, "words": wording.failure(message)}


class Messages(TokenView):
    """Alerts to send."""

    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(
        operation_id="messages_send",
        summary="Send an alert",
        description=(
            "Queues it. Whether it may be sent, the gate decides at the moment of sending: without consent, or after a "
            "STOP, it is blocked, and its address says why."
        ),
        parameters=[*schema.POSTED, schema.LOCATION],
        request=NewAlertSerializer,
        responses={202: AlertSerializer, **schema.problems(400, 409, 413, 415, 422)},
        examples=[OpenApiExample("A reminder", schema.AN_ALERT, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        return idempotency.once(
            request, self.token, lambda: send(self.token, valid(NewAlertSerializer, request.data), now=now), now=now
        )


class OneMessage(TokenView):
    """One alert."""

    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(
        operation_id="messages_read",
        summary="Read what became of an alert",
        parameters=[schema.RETRY_AFTER],
        responses={200: AlertSerializer, **schema.problems(404)},
    )
    def get(self, request: Request, ref: UUID) -> Response:
        return Response(AlertSerializer(sent(self.token, ref)).data)


messages = access.public(Messages.as_view())
message = access.public(OneMessage.as_view())


# --- What they do -------------------------------------------------------------------------------------------------


def send(token: ApiToken, asked: dict[str, Any], *, now: datetime) -> idempotency.Answer:
    program = program_of(token, asked["program"])
    try:
        message = alerting.send(
            program=program,
            phone=asked["to"],
            body=asked["body"],
            ref=asked.get("ref") or uuid4(),
            expires_at=asked.get("expires_at"),
            waits_for_morning=asked["waits_for_morning"],
            now=now,
        )
    except alerting.NotForPromotions as error:
        raise Problem(409, "promotional-program", _("Promotions are not sent here."), str(error)) from None
    except alerting.RefTaken as error:
        raise Problem(409, "ref-taken", _("Another message has this “ref”."), str(error), {"ref": str(error)}) from None
    except joining.NoLine as error:
        raise Problem(409, "no-line", _("There is no line to text from."), str(error)) from None
    except alerting.TooLate as error:
        raise serializers.ValidationError({"expires_at": str(error)}) from None
    except outbound.CannotSend as error:
        raise serializers.ValidationError({"body": str(error)}) from None
    return 202, dict(AlertSerializer(message).data)


def sent(token: ApiToken, ref: UUID) -> Message:
    """An alert of this token's brand. One query."""
    alerts = Message.objects.filter(purpose=Purpose.ALERT).select_related(
        "conversation__contact", "conversation__line", "program", "decision"
    )
    if token.brand_id:
        alerts = alerts.filter(conversation__line__brand=token.brand_id)
    found = alerts.filter(ref=ref).first()
    if found is None:
        raise Http404
    return found
