"""The description is valid, complete and true."""

import json

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.django_db


@pytest.fixture
def described(client):
    response = client.get("/api/v1/schema/")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    return json.loads(response.content)


def test_it_is_valid_and_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_it_has_every_address_and_each_refusal_is_problem_json(described):
    assert set(described["paths"]) == {
        "/api/v1/consents/",
        "/api/v1/consents/revocations/",
        "/api/v1/messages/",
        "/api/v1/messages/{ref}/",
    }
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            refusals = {status for status in operation["responses"] if status >= "400"}
            assert refusals >= {"401", "403", "429", "500", "503"}, path
            for status in refusals:
                assert set(operation["responses"][status]["content"]) == {"application/problem+json"}
            assert operation["security"] == [{"token": []}]
            if method == "post":
                keys = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
                assert keys[0]["required"]
                assert operation["requestBody"]["content"]["application/json"]["examples"]


def fits(described, path, method, status, body):
    """Raises where an answer is not what the description says (which calls null "nullable")."""
    schemas = json.loads(json.dumps(described["components"]["schemas"]))
    for schema in schemas.values():
        schema["additionalProperties"] = False
        for name, kind in list(schema.get("properties", {}).items()):
            if kind.pop("nullable", False):
                schema["properties"][name] = {"anyOf": [kind, {"type": "null"}]}
    content = described["paths"][path][method]["responses"][str(status)]["content"]
    (media,) = content.values()
    Draft202012Validator({"allOf": [media["schema"]], "components": {"schemas": schemas}}).validate(body)


def test_answers_are_what_it_says(described, bank, program):
    examples = {
        path: list(described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"].values())
        for path in ("/api/v1/consents/", "/api/v1/consents/revocations/", "/api/v1/messages/")
    }
    program.slug = "harbor-reminders"
    program.save()
    for path, (example,) in examples.items():
        response = bank.post(path.removeprefix("/api/v1/"), example["value"])
        assert response.status_code in {201, 202}, response.content
        fits(described, path, "post", response.status_code, response.json())
        refused = bank.post(path.removeprefix("/api/v1/"), {})
        fits(described, path, "post", 422, refused.json())
    alert = bank.post("messages/", examples["/api/v1/messages/"][0]["value"]).json()
    fits(described, "/api/v1/messages/{ref}/", "get", 200, bank.get(f"messages/{alert['ref']}/").json())
    record = bank.get("consents/", phone="+12015550123").json()
    assert len(record["events"]) == 2
    fits(described, "/api/v1/consents/", "get", 200, record)
    fits(described, "/api/v1/consents/", "get", 422, bank.get("consents/").json())
    not_proven = bank.post("consents/", {"phone": "+12015550123", "program": "harbor-reminders"})
    fits(described, "/api/v1/consents/", "post", 422, not_proven.json())
