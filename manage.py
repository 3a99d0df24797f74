#!/usr/bin/env python
"""Django's command line, for this project."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
    from django.core.management import execute_from_command_line

    from contactcenter.lib.env import RefusedError

    try:
        execute_from_command_line(sys.argv)
    except RefusedError as error:  # from the settings: whoever wrote them needs no traceback
        sys.exit(str(error))
