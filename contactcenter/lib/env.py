"""Settings from the environment, each also as ``NAME_FILE``, the path of a file that holds it.

Values are taken as they are but for surrounding white space: a secret may begin with ``$``, and a file ends with a line
break. An empty value is the same as none.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class RefusedError(ValueError):
    """A variable can't be used as it is: a sentence that names it and says what to do."""


def text(name: str, default: str = "") -> str:
    """Raises RefusedError when the file that ``NAME_FILE`` names can't be read."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    try:
        value = Path(path).read_text() if path else os.environ.get(name, "")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise RefusedError(
            f"{name}_FILE names {path}, which cannot be read ({why}): correct the path, or leave it out."
        ) from error
    return value.strip() or default


def number(name: str, default: int, *, most: int | None = None) -> int:
    """With ``most``, from 1 to that many."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise RefusedError(f"{name} is {value!r}, which is no whole number: give one like {default}.") from None
    if most is not None and not 1 <= number <= most:
        raise RefusedError(f"{name} is {number}: give a number from 1 to {most}.")
    return number


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """What commas separate."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def one_of(name: str, default: str, choices: Sequence[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise RefusedError(f"{name} is {value!r}: give one of {', '.join(choices)}.")
    return value


def read(name: str, default: str, reader: Callable[[str], T], remedy: str) -> T:
    """What ``reader`` makes of it. The value may hold a password, so no error tells it."""
    value = text(name, default)
    try:
        return reader(value)
    except Exception:  # noqa: BLE001 libraries raise all sorts, and a reader does nothing but read
        raise RefusedError(f"{name} cannot be used: {remedy}") from None
