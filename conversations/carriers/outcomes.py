"""What became of one hand-over, in words of our own: carriers differ, these four do not."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    SENT = "sent"  # the carrier took it
    NOT_SENT = "not_sent"  # it surely did not leave: slow down, or no connection; back to the gate
    REFUSED = "refused"  # this recipient, this text: no attempt would help
    ACCOUNT = "account"  # our credentials, money or configuration: nothing will leave until a person acts
    UNKNOWN = "unknown"  # it may have left: a receipt will tell, we never guess


@dataclass(frozen=True)
class Outcome:
    """``code`` and ``detail`` are the carrier's; ``retry_after`` in seconds where it says."""

    kind: Kind
    carrier_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float = 0.0
    is_throttled: bool = False

    def __post_init__(self) -> None:
        """The database keeps no NUL and no endless words, and one odd answer may not stop the others."""
        for name, length in (("carrier_id", 64), ("code", 30), ("detail", 300)):
            object.__setattr__(self, name, getattr(self, name).replace("\x00", "")[:length])
