"""What every address of the API has in common: a token, its scope, its pace."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.views import APIView

from contactcenter.api import problems
from contactcenter.api.authentication import Bearer, HasScope
from contactcenter.api.models import ApiToken, Scope
from contactcenter.api.throttling import PerToken


class TokenView(APIView):
    """Handlers are methods; ``scopes`` says, by method, what the token must be allowed."""

    authentication_classes = [Bearer]
    permission_classes = [HasScope]
    throttle_classes = [PerToken]
    http_method_names = ["get", "head", "post"]
    scopes: ClassVar[Mapping[str, Scope]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > problems.BODY_LIMIT:
            raise problems.TooLarge

    @property
    def default_response_headers(self) -> dict[str, str]:
        """What is on record of a person is nobody's to keep on the way."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    @property
    def token(self) -> ApiToken:
        return cast("ApiToken", self.request.auth)
