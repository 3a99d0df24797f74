"""What exists is documented: settings, commands, make targets, public addresses."""

import re
from pathlib import Path

import pytest
from django.urls import get_resolver

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
EVERYTHING = "\n".join(
    path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)

FROM_THE_SETTINGS = re.compile(r"\benv\.\w+\(\s*\"([A-Z0-9_]+)\"")
FROM_THE_ENVIRONMENT = re.compile(r"environ(?:\.get\(|\.setdefault\(|\[)\s*\"([A-Z0-9_]+)\"")
DJANGO_S_OWN = {"DJANGO_SETTINGS_MODULE"}

VARIABLES = sorted(
    {*FROM_THE_SETTINGS.findall((ROOT / "contactcenter" / "settings.py").read_text(encoding="utf-8"))}
    | {
        name
        for package in ("contactcenter", "consent", "conversations", "sandbox")
        for path in (ROOT / package).rglob("*.py")
        for name in FROM_THE_ENVIRONMENT.findall(path.read_text(encoding="utf-8"))
    }
    - DJANGO_S_OWN
)
COMMANDS = sorted(
    path.stem
    for path in ROOT.glob("*/**/management/commands/*.py")
    if path.stem != "__init__" and ".venv" not in path.parts
)
TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
ADDRESSES = [
    "/webhooks/vonage/inbound",
    "/webhooks/vonage/status",
    "/ws/",
    *sorted({f"/{str(entry.pattern).split('<')[0]}" for entry in get_resolver().url_patterns if str(entry.pattern)}),
]
ADDRESSES.remove("/favicon.ico")  # browsers ask for it by themselves


def test_there_is_something_to_document():
    assert {"SECRET_KEY", "DATABASE_URL", "VONAGE_SIGNATURE_SECRET", "HOST"} <= set(VARIABLES)
    assert {"up", "verify_ledger"} <= set(COMMANDS)
    assert {"demo", "test"} <= set(TARGETS)
    assert "/healthz" in ADDRESSES


@pytest.mark.parametrize("name", VARIABLES)
def test_every_environment_variable_is_in_the_settings_document(name):
    assert f"| `{name}` |" in SETTINGS


def test_the_settings_document_names_no_variable_that_nothing_reads():
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", SETTINGS, re.MULTILINE))
    by_libraries = {"Q_CLUSTER_NAME", "REQUESTS_CA_BUNDLE"}
    assert listed <= set(VARIABLES) | by_libraries


@pytest.mark.parametrize("name", COMMANDS)
def test_every_management_command_is_documented(name):
    assert f"manage.py {name}" in EVERYTHING


@pytest.mark.parametrize("name", TARGETS)
def test_every_make_target_is_documented(name):
    assert f"make {name}" in EVERYTHING or re.search(rf"`make [^|\n]*`{name}`", EVERYTHING)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_public_address_is_documented(address):
    assert f"`{address}`" in EVERYTHING or f"…{address}" in EVERYTHING


def test_links_between_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"
