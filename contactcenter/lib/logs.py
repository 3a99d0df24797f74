"""What the log leaves out, so that what it says is read."""

import logging


class Refusals(logging.Filter):
    """A refused page is a line, not a traceback; and ``/healthz`` has said by itself what is not well."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != "django.request":
            return True
        if record.levelno <= logging.WARNING:
            record.exc_info = record.exc_text = None
        path = getattr(getattr(record, "request", None), "path", "")
        return not (path == "/healthz" and getattr(record, "status_code", 0) == 503)
