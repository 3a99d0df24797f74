"""``/api/v1/consents/``: somebody agreed elsewhere, or took it back; and what is on record of a number."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from consent import acquiring, telling
from consent.models import Brand, ConsentEvent, Program, Standing, phone_hash
from consent.purposes import Category, Level, Source
from contactcenter.accounts import access
from contactcenter.api import idempotency, schema
from contactcenter.api.fields import MomentField, PhoneField, Strict, program_of, valid
from contactcenter.api.models import ApiToken, Scope
from contactcenter.api.problems import Problem
from contactcenter.api.views import TokenView
from conversations import joining, leaving

EVENTS = 50
# As far as another system's clock may be ahead of ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)
EVIDENCE = ("words", "method", "url", "ip", "user_agent", "document", "name")

# What each proof is, and who wants it kept.
PROOF = {
    "words": gettext_lazy("The exact words that the person saw or said yes to (47 CFR 64.1200(f)(9); CTIA 5.1.2)."),
    "method": gettext_lazy(
        "How they agreed, for example “ticked the box in online banking” or “signed at the branch” "
        "(CTIA 5.1.2: acquisition medium)."
    ),
    "url": gettext_lazy(
        "The address of the page on which they agreed (16 CFR 310.5(a)(8): the request as it was presented). "
        "For a signature on paper send “document” and “name” instead."
    ),
    "ip": gettext_lazy("The IP address from which they agreed (CTIA 5.1.2); not for a signature on paper."),
    "user_agent": gettext_lazy(
        "The browser with which they agreed (CTIA 5.1.2: capture of experience); not for a signature on paper."
    ),
    "document": gettext_lazy("Where the signed paper is kept: a file number or address (47 CFR 64.1200(f)(9))."),
    "name": gettext_lazy("The name of the person who signed (16 CFR 310.5(a)(8))."),
    "writing": gettext_lazy("An agreement in writing: this level can't be given any other way (47 CFR 64.1200(f)(9))."),
}


# --- What comes in ------------------------------------------------------------------------------------------------


class NewConsentSerializer(Strict):
    """Somebody agreed to a program. Which proofs are needed depends on the level; a refusal names those missing."""

    phone = PhoneField(help_text="Their number: E.164, or as people write it in the US.")
    program = serializers.SlugField(help_text="The program's slug.")
    level = serializers.ChoiceField(
        [level.value for level in Level if level != Level.NONE],
        required=False,
        help_text="How firmly they agreed; left out: the level that the program needs.",
    )
    words = serializers.CharField(max_length=10_000, required=False, help_text="What they saw or said yes to, exactly.")
    method = serializers.CharField(max_length=500, required=False, help_text="How they agreed.")
    url = serializers.CharField(max_length=2000, required=False, help_text="Where they agreed.")
    ip = serializers.IPAddressField(required=False, help_text="Their address on the Internet at that moment.")
    user_agent = serializers.CharField(max_length=1000, required=False, help_text="Their browser.")
    document = serializers.CharField(max_length=2000, required=False, help_text="Where the signed paper is kept.")
    name = serializers.CharField(max_length=200, required=False, help_text="Who agreed.")
    occurred_at = MomentField(required=False, help_text="When they agreed; left out: now.")

    def validate_occurred_at(self, at: datetime) -> datetime:
        if at > timezone.now() + CLOCKS_DIFFER_BY:
            raise serializers.ValidationError(_("That is still to come. Send when the person agreed."))
        return at


class RevocationSerializer(Strict):
    """Somebody wants no more texts. Never needs proof, and counts for the whole brand unless ``scope`` says less."""

    phone = PhoneField(help_text="Their number: E.164, or as people write it in the US.")
    brand = serializers.CharField(
        max_length=100, required=False, help_text="The brand's name; left out with the program: every brand."
    )
    program = serializers.SlugField(required=False, help_text="A program's slug: its brand is meant.")
    scope = serializers.ChoiceField(
        [category.value for category in Category], required=False, help_text="The only kind of texts that they refused."
    )
    words = serializers.CharField(max_length=10_000, required=False, help_text="What they said.")
    occurred_at = MomentField(required=False, help_text="When they said so; left out: now.")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "brand" in asked and "program" in asked:
            raise serializers.ValidationError({"brand": _("Name the brand or the program, not both.")})
        return asked


class QuestionSerializer(Strict):
    phone = PhoneField()
    after = serializers.IntegerField(min_value=1, max_value=2**62, required=False)


# --- What goes out ------------------------------------------------------------------------------------------------


class EventSerializer(serializers.Serializer[ConsentEvent]):
    """One line of the ledger. ``hash`` proves it: keep it, and compare it with the ledger whenever you like."""

    seq = serializers.IntegerField(help_text="Its place in the number's chain.")
    hash = serializers.CharField()
    brand = serializers.CharField(source="brand.name")
    program = serializers.CharField(source="program.slug", allow_null=True, default=None)
    kind = serializers.CharField(help_text="requested, granted, confirmed, revoked, resumed, suspected or cleared.")
    effect = serializers.CharField(help_text="What it changed; “nothing”, if it is older than an opt-out, for example.")
    level = serializers.CharField(source="facts.level")
    scope = serializers.SerializerMethodField(help_text="The only kind of texts that a revocation is about, or empty.")
    source = serializers.CharField(help_text="Through what it reached us.")  # type: ignore[assignment]
    words = serializers.SerializerMethodField(help_text="The same in words.")
    occurred_at = MomentField(help_text="When the person acted.")
    recorded_at = MomentField()

    def get_scope(self, event: ConsentEvent) -> str:
        return str(event.facts.get("scope", ""))

    def get_words(self, event: ConsentEvent) -> str:
        return f"{telling.event(event)} · {telling.source(event)}"


class RevokedSerializer(serializers.Serializer[Any]):
    """What a revocation wrote: one event for each brand."""

    events = EventSerializer(many=True)


class ProgramStandingSerializer(serializers.Serializer[Any]):
    """How a number stands to a program: the level that counts today."""

    program = serializers.CharField()
    level = serializers.CharField(help_text="none, conversational, express or written.")
    since = MomentField(allow_null=True, help_text="When they last agreed, in force or not.")
    waits_for_confirmation = serializers.BooleanField(help_text="They were asked by text and have not said YES yet.")


class BrandStandingSerializer(serializers.Serializer[Any]):
    """How a number stands to a brand."""

    brand = serializers.CharField()
    is_opted_out = serializers.BooleanField()
    opted_out_at = MomentField(allow_null=True, help_text="When they last said no, in force or not.")
    opted_out_of = serializers.ListField(child=serializers.CharField(), help_text="Kinds of texts refused, else empty.")
    may_have_opted_out = serializers.BooleanField(help_text="A person must still read what they wrote.")
    programs = ProgramStandingSerializer(many=True)


class RecordSerializer(serializers.Serializer[Any]):
    """All that is on record of a number; events newest first."""

    phone = serializers.CharField()
    standings = BrandStandingSerializer(many=True)
    events = EventSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the older events, if there are any.")


# --- Addresses ----------------------------------------------------------------------------------------------------


class Consents(TokenView):
    """Who agreed to what."""

    scopes = {"GET": Scope.CONSENTS_READ, "POST": Scope.CONSENTS_WRITE}

    @extend_schema(
        operation_id="consents_record",
        summary="Record a consent",
        description="Records that somebody agreed, and texts them the confirmation; with double opt-in, the question.",
        parameters=[*schema.POSTED],
        request=NewConsentSerializer,
        responses={201: EventSerializer, **schema.problems(400, 409, 413, 415, 422)},
        examples=[
            OpenApiExample("On the bank's website", schema.A_CONSENT, request_only=True),
            schema.refusal("Not proven", schema.NOT_PROVEN),
        ],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        return idempotency.once(
            request, self.token, lambda: record(self.token, valid(NewConsentSerializer, request.data), now=now), now=now
        )

    @extend_schema(
        operation_id="consents_read",
        summary="Read what is on record of a number",
        parameters=[
            OpenApiParameter("phone", str, required=True, description="The number, with its plus as %2B."),
            OpenApiParameter("after", int, description="As in “next”: events older than this place."),
            schema.RETRY_AFTER,
        ],
        responses={200: RecordSerializer, **schema.problems(422)},
    )
    def get(self, request: Request) -> Response:
        asked = valid(QuestionSerializer, request.query_params.dict())
        return Response(on_record(self.token, **asked))


class Revocations(TokenView):
    """Who wants no more texts."""

    scopes = {"POST": Scope.CONSENTS_WRITE}

    @extend_schema(
        operation_id="consents_revoke",
        summary="Take consent back",
        description="In force before this is answered: no text that passes the gate later reaches them.",
        parameters=[*schema.POSTED],
        request=RevocationSerializer,
        responses={201: RevokedSerializer, **schema.problems(400, 413, 415, 422)},
        examples=[OpenApiExample("Said on the telephone", schema.A_REVOCATION, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        return idempotency.once(
            request, self.token, lambda: revoke(self.token, valid(RevocationSerializer, request.data), now=now), now=now
        )


consents = access.public(Consents.as_view())
revocations = access.public(Revocations.as_view())


# --- What they do -------------------------------------------------------------------------------------------------


def record(token: ApiToken, asked: dict[str, Any], *, now: datetime) -> idempotency.Answer:
    program = program_of(token, asked["program"])
    try:
        event = joining.join(
            program=program,
            phone=asked["phone"],
            source=Source.API,
            evidence=evidence(token, asked),
            level=Level(asked["level"]) if "level" in asked else None,
            occurred_at=asked.get("occurred_at"),
            now=now,
        )
    except acquiring.NotEnoughProof as error:
        raise not_enough(error.missing) from None
    except acquiring.NotOffered:
        raise Problem(
            409,
            "program-not-active",
            _("Nobody can agree to this program: it is not active."),
            _("Activate “%(program)s” in the administration, or name another.") % {"program": program.slug},
        ) from None
    except joining.NoLine as error:
        raise Problem(409, "no-line", _("There is no line to text from."), str(error)) from None
    event.program, event.brand = program, program.brand
    return 201, dict(EventSerializer(event).data)


def evidence(token: ApiToken, asked: dict[str, Any]) -> dict[str, str]:
    """Proof by name, with the token that brought it."""
    return {name: str(asked[name]) for name in EVIDENCE if name in asked} | {"token": str(token)}


def not_enough(missing: frozenset[str]) -> Problem:
    return Problem(
        422,
        "not-enough-proof",
        _("This consent is not proven."),
        _("A consent without what proves it is no consent. Send what “errors” names; nothing was recorded."),
        {name: str(PROOF[name]) for name in PROOF if name in missing},
    )


def revoke(token: ApiToken, asked: dict[str, Any], *, now: datetime) -> idempotency.Answer:
    events = leaving.leave(
        phone=asked["phone"],
        source=Source.API,
        evidence=evidence(token, asked),
        brand_ids=brands_meant(token, asked),
        scope=Category(asked["scope"]) if "scope" in asked else None,
        occurred_at=asked.get("occurred_at"),
        now=now,
    )
    brands = Brand.objects.in_bulk({event.brand_id for event in events})
    for event in events:
        event.brand = brands[event.brand_id]
    return 201, dict(RevokedSerializer({"events": events}).data)


def brands_meant(token: ApiToken, asked: dict[str, Any]) -> list[int] | None:
    """``None``: every brand there is."""
    if "program" in asked:
        return [program_of(token, asked["program"]).brand_id]
    if "brand" in asked:
        brands = Brand.objects.filter(name=asked["brand"])
        brand = (brands.filter(pk=token.brand_id) if token.brand_id else brands).first()
        if brand is None:
            text = _("There is no brand “%(name)s”, or this token is for another. Brands are in the administration.")
            raise serializers.ValidationError({"brand": text % {"name": asked["brand"]}})
        return [brand.pk]
    return [token.brand_id] if token.brand_id else None


def on_record(token: ApiToken, *, phone: str, after: int | None = None) -> dict[str, Any]:
    """Three queries, however much there is. A number that nobody knows has nothing on record."""
    known_as = {"subject__phone_hash": phone_hash(phone)} | ({"brand": token.brand} if token.brand else {})
    standings = Standing.objects.filter(**known_as).select_related("brand").order_by("brand__name")
    events = ConsentEvent.objects.filter(**known_as).select_related("brand", "program").order_by("-seq")
    page = list((events.filter(seq__lt=after) if after else events)[: EVENTS + 1])
    shown = page[:EVENTS]
    query = urlencode([("phone", phone), ("after", shown[-1].seq)]) if len(page) > EVENTS else ""
    record = {
        "phone": phone,
        "standings": brand_standings(list(standings)),
        "events": shown,
        "next": f"{settings.PUBLIC_URL}{reverse('api-consents')}?{query}" if query else None,
    }
    return dict(RecordSerializer(record).data)


def brand_standings(standings: list[Standing]) -> list[dict[str, Any]]:
    states = [(standing.brand, standing.state) for standing in standings]
    programs = Program.objects.in_bulk({pk for _brand, state in states for pk in {*state.grants, *state.requests}})
    return [
        {
            "brand": brand.name,
            "is_opted_out": state.is_suppressed,
            "opted_out_at": state.revoked_at,
            "opted_out_of": [category.value for category in Category if state.is_suppressed_for(category)],
            "may_have_opted_out": state.is_suspected,
            "programs": [
                {
                    "program": programs[pk].slug,
                    "level": state.level(pk, Category(programs[pk].category)),
                    "since": state.grants[pk].since if pk in state.grants else None,
                    "waits_for_confirmation": state.request(pk) is not None,
                }
                for pk in sorted({*state.grants, *state.requests})
            ],
        }
        for brand, state in states
    ]
