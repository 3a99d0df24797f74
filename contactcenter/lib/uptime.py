"""A clock for deadlines that nobody can set, and that goes on while the machine sleeps."""

import time

# Linux's CLOCK_MONOTONIC stands still while a virtual machine is suspended; a promise of two seconds must not.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Seconds since some moment of the past; only differences mean anything."""
    return time.clock_gettime(CLOCK)
