"""The commands of docs/api.md, as a reader would type them: parsed from the page, and sent."""

import json
import re
import shlex
from pathlib import Path

import pytest
import requests

from consent.models import Standing
from contactcenter.demo import organisation
from conversations.models import Message
from tests import factories
from tests.api.conftest import caller

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
PERSON = "+12015550125"


def commands(url, secret):
    """(method, url, headers, body) of each curl on the page."""
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assigned, _, rest = script.partition("\n")
    assert assigned == "API=http://127.0.0.1:8000/api/v1 TOKEN=cc_…"
    words = shlex.split(rest.replace("$API", f"{url}/api/v1").replace("$TOKEN", secret))
    while words:
        assert words.pop(0) == "curl"
        target, headers, body = words.pop(0), {}, None
        while words and words[0] != "curl":
            option, value = words.pop(0), words.pop(0)
            if option == "-H":
                name, _, content = value.partition(": ")
                headers[name] = content
            else:
                assert option == "--json"
                body = json.loads(value)
        yield ("GET" if body is None else "POST"), target, headers, body


def test_it_takes_ten_lines():
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in script.splitlines() if line]) <= 10


@pytest.mark.django_db(transaction=True)
def test_the_page_records_a_consent_and_sends_an_alert(live_server):
    """Twice, as a reader would who is not sure that it worked: nothing happens twice."""
    offered = next(one for one in organisation.PROGRAMS if one.slug == "harbor-reminders")
    line = factories.line()
    program = factories.program(
        brand=line.brand, slug=offered.slug, category=offered.category, consent_level=offered.level
    )
    secret = caller().secret
    for turn in ("first", "again"):
        answers = [
            requests.request(method, url, headers=headers, json=body, timeout=10)
            for method, url, headers, body in commands(live_server.url, secret)
        ]
        assert [answer.status_code for answer in answers] == [201, 202, 200], [answer.text for answer in answers]
        assert ["Idempotency-Replayed" in answer.headers for answer in answers[:2]] == [turn == "again"] * 2
    assert answers[2].json()["status"] == "queued"
    standing = Standing.objects.get(subject__phone=PERSON)
    assert standing.state.level(program.pk) == offered.level
    assert set(Message.objects.values_list("purpose", flat=True)) == {"opt_in_confirmation", "alert"}
    assert Message.objects.count() == 2
