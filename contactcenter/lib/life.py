"""Signs of life to the supervisor that started us, which kills and starts again who has been silent for too long."""

import os
from contextlib import suppress

LIFE_FD = int(os.environ.get("LIFE_FD") or -1)


def sign() -> None:
    """Call it again and again where work is done, so that silence means no work is done; without a supervisor it does
    nothing."""
    if LIFE_FD >= 0:
        with suppress(BlockingIOError):  # nobody has read for hours: the supervisor is stopped, not us
            os.write(LIFE_FD, b".")
