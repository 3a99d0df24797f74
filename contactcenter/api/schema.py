"""``/api/v1/schema/``: the API described in OpenAPI, for people and for generators of clients."""

from django.views.decorators.cache import cache_page
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from drf_spectacular.views import SpectacularJSONAPIView

from contactcenter.accounts import access
from contactcenter.api.problems import MEDIA_TYPE, ProblemSerializer

AN_HOUR_SECONDS = 3600

RETRY_AFTER = OpenApiParameter("Retry-After", int, OpenApiParameter.HEADER, description="Seconds.", response=[429, 503])
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    bool,
    OpenApiParameter.HEADER,
    description="True when this is the answer that the same request had before.",
    response=[201, 202],
)
LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, description="Where to ask what became of it.", response=[202]
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "1 to 100 visible ASCII characters, new for each new request. Sent again within a day with the same body, it "
        "gets the same answer and changes nothing more; with another body, 422."
    ),
)
# Of every POST.
POSTED = (IDEMPOTENCY_KEY, REPLAYED, RETRY_AFTER)

A_CONSENT = {
    "phone": "+12015550123",
    "program": "harbor-reminders",
    "words": "I agree to get texts from Harbor Clinic about my appointments.",
    "method": "ticked the box in online banking",
    "url": "https://bank.example/alerts",
    "ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "occurred_at": "2026-11-23T09:30:00-05:00",
}
A_REVOCATION = {"phone": "+12015550123", "words": "Please stop texting me."}
AN_ALERT = {"to": "+12015550123", "program": "harbor-reminders", "body": "Your appointment is tomorrow at 9:00."}
NOT_PROVEN = {
    "type": "urn:contactcenter:problem:not-enough-proof",
    "title": "This consent is not proven.",
    "status": 422,
    "detail": "A consent without what proves it is no consent. Send what “errors” names; nothing was recorded.",
    "errors": [{"pointer": "#/words", "detail": "The exact words that the person saw or said yes to (…)."}],
}

MEANINGS = {
    400: "The request can't be read, or has no Idempotency-Key.",
    401: "No token, or one that is unknown, revoked or expired.",
    403: "The token lacks the scope.",
    404: "There is no such message.",
    409: "It can't be done as things are; the detail says what to change.",
    413: "The body has more than 1 MB.",
    415: "The body is not application/json.",
    422: "Something in the request is not right; errors says what, and what to do.",
    429: "Too many requests; Retry-After says for how many seconds.",
    500: "Something went wrong on our side.",
    503: "The database does not answer; Retry-After says for how many seconds.",
}
ALWAYS = (401, 403, 429, 500, 503)


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals of an address: these, and those that every address has."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(ProblemSerializer, MEANINGS[status])
        for status in sorted({*statuses, *ALWAYS})
    }


def refusal(name: str, problem: dict[str, object]) -> OpenApiExample:
    return OpenApiExample(
        name, problem, media_type=MEDIA_TYPE, response_only=True, status_codes=[str(problem["status"])]
    )


# Generating takes a tenth of a second and never changes while a process lives.
described = access.public(cache_page(AN_HOUR_SECONDS)(SpectacularJSONAPIView.as_view(schema=None)))
