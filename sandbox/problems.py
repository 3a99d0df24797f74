"""What the carrier says when something is wrong: answers to a request, and errors inside a receipt.

The titles and addresses are the published ones, misspellings included, because clients match on them.
"""

import uuid
from dataclasses import dataclass, replace

_API = "https://developer.vonage.com/api-errors"


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer other than 202. ``invalid`` holds (parameter path, reason) pairs."""

    status: int
    type: str
    title: str
    detail: str
    invalid: tuple[tuple[str, str], ...] = ()

    def body(self) -> dict[str, object]:
        """Return the JSON body, with an ``instance`` of its own."""
        body: dict[str, object] = {
            "type": self.type,
            "title": self.title,
            "detail": self.detail,
            "instance": uuid.uuid4().hex,
        }
        if self.invalid:
            body["invalid_parameters"] = [{"name": name, "reason": why} for name, why in self.invalid]
        return body

    def naming(self, *invalid: tuple[str, str]) -> "Problem":
        """Return the same problem with the parameters that caused it."""
        return replace(self, invalid=invalid)


_PARAMETERS = "The value of one or more parameters is invalid."

INVALID_JSON = Problem(
    422,
    f"{_API}#invalid-json",
    "The request body did not contain valid JSON",
    "The body must be one JSON object in UTF-8.",
)
CHANNEL = Problem(422, f"{_API}/messages#1100", "Unsupported channel", "The specified channel is not supported.")
CHANNEL_PARAMETERS = Problem(422, f"{_API}/messages#1110", "Invalid channel parameters", _PARAMETERS)
SENDER = Problem(
    422,
    f"{_API}/messages#1120",
    "Invalid sender",
    "The `from` parameter is invalid for the given channel.",
)
RECIPIENT = Problem(
    422,
    f"{_API}/messages#110",
    "Invalid recipient",
    "The `to` parameter is invalid for the given channel.",
)
MESSAGE_TYPE = Problem(
    422,
    f"{_API}/messages#1140",
    "Invalid message type",
    "The `message_type` parameter is invalid for the given channel.",
)
PARAMETERS = Problem(422, f"{_API}/messages#1150", "Invalid params", _PARAMETERS)
CLIENT_REFERENCE = Problem(
    422,
    f"{_API}/messages#1060",
    "Invalid client reference",
    "The client reference can be a string of up to 100 characters.",
)
CREDENTIALS = Problem(
    401,
    f"{_API}/#unathorized",
    "You did not provide correct credentials.",
    "Check that you're using the correct credentials, and that your account has this feature enabled",
)
APPLICATION = Problem(
    401,
    f"{_API}/#unprovisioned",
    "The crendentials provided do not have access to the requested product",
    "Check your API key is correct and has been whitelisted",
)
BALANCE = Problem(
    402,
    f"{_API}/#low-balance",
    "Low balance",
    "This request could not be performed due to your account balance being low.",
)
THROTTLED = Problem(429, f"{_API}/messages#1000", "Rate Limit Hit", "Please wait, then retry your request")
INTERNAL = Problem(
    500,
    f"{_API}/messages#1000",
    "Internal error",
    "There was an error processing your request in the Platform.",
)
UNAVAILABLE = Problem(503, f"{_API}#unavailable", "Service unavailable", "Please try again later.")

RECEIPT_ERRORS = {
    "1000": "Throttled - You have exceeded the submission capacity allowed on this account. Please wait and retry",
    "1050": "Number barred  -  This number may not receive messages.",
    "1070": "Partner quota exceeded  -  The account does not have sufficient credit.",
    "1170": "Invalid or Missing Msisdn Param  -  The phone number was missing or invalid.",
    "1180": "Absent Subscriber Temporary  -  The handset is out of coverage or switched off.",
    "1190": "Absent Subscriber Permanent  -  The number is no longer active.",
    "1210": "Anti-Spam Rejection  -  The carrier takes this message for spam.",
    "1230": "Network Error  -  A network failure while sending your message.",
    "1240": "Illegal Number  -  You tried to send a message to a blacklisted phone number. That is, the user "
    "has already sent a STOP opt-out message and no longer wishes to receive messages from you.",
    "1280": "Number Blocked by Carrier  -  The carrier blocked this message.",
    "1300": "Not part of the provider network  -  The number is not a user of the network.",
    "1360": "TTL was activated, or message expired before delivered.",
    "1460": "Daily message limit exceeded - Check compliance with regulations such as 10DLC.",
}


def receipt_error(code: str) -> dict[str, str]:
    """Return the ``error`` object of a rejected message's receipt; ``code`` is four digits."""
    return {
        "type": f"{_API}/messages#{code}",
        "title": code,
        "detail": RECEIPT_ERRORS.get(code, "The network refused this message."),
        "instance": uuid.uuid4().hex,
    }
