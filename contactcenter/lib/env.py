"""Settings from the environment, each also as ``NAME_FILE``, the path of a file that holds it.

Values are taken as they are but for surrounding white space: a secret may begin with ``$``, and a file ends with a line
break. An empty value is the same as none.
"""

import os
from pathlib import Path


def text(name: str, default: str = "") -> str:
    """Raises ``OSError`` when the file that ``NAME_FILE`` names can't be read."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    value = Path(path).read_text() if path else os.environ.get(name, "")
    return value.strip() or default


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} is {value!r}, which is no whole number.") from None


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """What commas separate."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)
