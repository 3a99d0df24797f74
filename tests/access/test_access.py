"""Every URL as every role and as nobody. Pages are found, not listed: a new one is covered by existing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from consent.models import Brand
from contactcenter.accounts import access
from contactcenter.accounts.models import Role
from conversations import links
from tests import factories
from tests.consent import imports

ANONYMOUS = "nobody"
STAFF = frozenset(Role) - {Role.AGENT}

# What the URL of each page needs: one row of the world below. A page that is missing here fails the test.
SAMPLES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "conversation": lambda world: {"pk": world.conversation.pk},
    "conversation-thread": lambda world: {"pk": world.conversation.pk},
    "conversation-panel": lambda world: {"pk": world.conversation.pk},
    "conversation-no-answer-needed": lambda world: {"pk": world.conversation.pk},
    "conversation-read": lambda world: {"pk": world.conversation.pk},
    "conversation-unread": lambda world: {"pk": world.conversation.pk},
    "conversation-resolve": lambda world: {"pk": world.conversation.pk},
    "conversation-reopen": lambda world: {"pk": world.conversation.pk},
    "conversation-snooze": lambda world: {"pk": world.conversation.pk},
    "conversation-assign": lambda world: {"pk": world.conversation.pk},
    "conversation-block": lambda world: {"pk": world.conversation.pk},
    "conversation-unblock": lambda world: {"pk": world.conversation.pk},
    "draft-save": lambda world: {"pk": world.conversation.pk},
    "conversation-transfer": lambda world: {"pk": world.conversation.pk},
    "conversation-owners": lambda world: {"pk": world.conversation.pk},
    "contact-form": lambda world: {"pk": world.conversation.pk},
    "contact-edit": lambda world: {"pk": world.conversation.pk},
    "scheduled-change": lambda world: {"pk": world.message.pk},
    "conversation-dispositions": lambda world: {"pk": world.conversation.pk},
    "note-write": lambda world: {"pk": world.conversation.pk},
    "notes-seen": lambda world: {"pk": world.conversation.pk},
    "tag-add": lambda world: {"pk": world.conversation.pk},
    "tag-remove": lambda world: {"pk": world.conversation.pk, "tag": 1},
    "message-details": lambda world: {"pk": world.message.pk},
    "message-send": lambda world: {"pk": world.conversation.pk},
    "message-retry": lambda world: {"pk": world.message.pk},
    "message-cancel": lambda world: {"pk": world.message.pk},
    "api-message": lambda world: {"ref": world.message.ref},
    "api-nowhere": lambda world: {},
    "consent-import": lambda world: {"pk": world.consent_import.pk},
    "consent-import-progress": lambda world: {"pk": world.consent_import.pk},
    "consent-import-cancel": lambda world: {"pk": world.consent_import.pk},
    "consent-import-go-on": lambda world: {"pk": world.consent_import.pk},
    "consent-import-refusals": lambda world: {"pk": world.consent_import.pk},
    "join": lambda world: {"slug": world.program.slug},
    "join-done": lambda world: {"slug": world.program.slug},
    "join-confirm": lambda world: {"slug": world.program.slug, "token": links.CONFIRM.sign(world.mail.ref)},
    "unsubscribe": lambda world: {"token": links.UNSUBSCRIBE.sign(world.mail.event_id)},
    "preferences": lambda world: {"token": links.PREFERENCES.sign(f"{world.conversation.contact.subject_id}.1")},
    "sandbox": lambda world: {"path": "handset"},
}


@dataclass(frozen=True)
class Place:
    """One pattern of the resolver. ``app`` is its namespace, empty for our own pages."""

    name: str
    app: str
    view: Callable[..., Any]
    needs: frozenset[str]

    def __str__(self) -> str:
        return f"{self.app}:{self.name}" if self.app else self.name


def places(patterns: Any = None, app: str = "", needs: frozenset[str] = frozenset()) -> Iterator[Place]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        wanted = needs | set(entry.pattern.regex.groupindex)
        if isinstance(entry, URLResolver):
            yield from places(entry.url_patterns, entry.namespace or app, wanted)
        elif isinstance(entry, URLPattern):
            yield Place(entry.name or "", app, entry.callback, wanted)


PAGES = [place for place in places() if not place.app]


@pytest.fixture
def world(db):
    conversation = factories.conversation()
    users = {role: factories.user(role, username=str(role)) for role in Role}
    return SimpleNamespace(
        conversation=conversation,
        message=factories.text_from(conversation),
        program=factories.program(),
        users=users,
        mail=factories.mail(),
        consent_import=imports.uploaded([imports.SIGNED_UP], by=users[Role.COMPLIANCE]),
    )


def url_of(place: Place, world: Any) -> str:
    if place.needs and place.name not in SAMPLES:
        pytest.fail(f"{place} needs {sorted(place.needs)}: say in SAMPLES how to make a URL of it.")
    return reverse(place.name, kwargs=SAMPLES[place.name](world) if place.needs else {})


def answer(world: Any, role: str, method: str, url: str) -> HttpResponse:
    client = Client()
    if role != ANONYMOUS:
        client.force_login(world.users[role])
    return getattr(client, method)(url)


def sends_to_login(response: HttpResponse) -> bool:
    return response.status_code == 302 and "login/?next=" in response.url


# --- Our own pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PAGES, ids=str)
def test_every_page_declares_whom_it_is_for(place):
    assert place.name, f"{place.view} has no name"
    assert getattr(place.view, "allowed_roles", None), f"{place}: add @access.allow(…) or @access.public"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("place", PAGES, ids=str)
def test_each_page_opens_for_whom_it_declares_and_for_nobody_else(place, method, world):
    url = url_of(place, world)
    is_public = not getattr(place.view, "login_required", True)
    for role in (ANONYMOUS, *Role):
        response = answer(world, role, method, url)
        if is_public:
            is_right = response.status_code != 403 and not sends_to_login(response)
        elif role == ANONYMOUS:
            is_right = sends_to_login(response) or response.status_code in {401, 403}
        elif role in place.view.allowed_roles:
            is_right = response.status_code != 403 and not sends_to_login(response)
        else:
            is_right = response.status_code == 403
        assert is_right, f"{method} {url} as {role}: {response.status_code}"


# Public for sessions: they ask for a token instead (tests/api/test_authentication.py).
API = {"api-consents", "api-revocations", "api-messages", "api-message", "api-schema", "api-nowhere"}
CONSUMERS = {"join", "join-programs", "join-done", "join-confirm", "unsubscribe", "mailbox", "preferences"}


def test_only_these_pages_are_public():
    public = {place.name for place in PAGES if not getattr(place.view, "login_required", True)}
    assert public - {"sandbox", "sandbox-home"} == {"favicon", "login", "healthz", *CONSUMERS, *API}


def undeclared(request):
    return HttpResponse("hello")


urlpatterns = [
    path("undeclared", undeclared, name="undeclared"),
    path("login/", undeclared, name="login"),
]


@pytest.mark.urls(__name__)
def test_a_page_that_declares_nobody_opens_for_nobody(world):
    for role in Role:
        assert answer(world, role, "get", "/undeclared").status_code == 403
    assert sends_to_login(answer(world, ANONYMOUS, "get", "/undeclared"))


@pytest.mark.parametrize("role", Role)
def test_whoever_was_switched_off_is_out_at_once(world, role):
    user = world.users[role]
    client = Client()
    client.force_login(user)
    assert client.get("/inbox/").status_code == 200
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert sends_to_login(client.get("/inbox/"))


# --- The admin -----------------------------------------------------------------------------------------------

ADMIN = [place for place in places() if place.app == "admin"]
SITE_WIDE = [place for place in ADMIN if not hasattr(place.view, "model_admin")]
MODELS = {place.view.model_admin.model for place in ADMIN if hasattr(place.view, "model_admin")}
OURS = {model for model in MODELS if model._meta.app_label in {"accounts", "api", "consent", "conversations"}}

# What nobody may do, whatever their permissions say.
EDITABLE = {"user", "brand", "program", "line", "tag", "team", "routingrule", "disposition", "presence"}
ADDABLE = EDITABLE - {"presence"} | {"apitoken", "disclosure"}


def may(role: str, action: str, model: Any) -> bool:
    """By the table of permissions and the nature of the rows, computed apart from the admin's own classes."""
    name = model._meta.model_name
    if action == "delete" or (action == "add" and name not in ADDABLE) or (action == "change" and name not in EDITABLE):
        return False
    wanted = f"{model._meta.app_label}.{action}_{name}"
    prefix = f"{model._meta.app_label}."
    names = {f"{prefix}*", f"{prefix}{action}_*", f"{prefix}*_{name}", wanted}
    return any(pattern in names for pattern in access.ADMIN.get(role, ()))


@pytest.mark.parametrize("role", [ANONYMOUS, *Role])
@pytest.mark.parametrize("model", sorted(OURS, key=str), ids=lambda model: model._meta.label_lower)
def test_each_admin_page_opens_for_the_roles_that_have_its_permission(world, model, role):
    row = 0 if model is not Brand else Brand.objects.first().pk
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    attempts = [
        ("get", reverse(f"{name}_changelist"), "view"),
        ("get", reverse(f"{name}_change", args=[row]), "view"),
        ("post", reverse(f"{name}_change", args=[row]), "change"),
        ("get", reverse(f"{name}_add"), "add"),
        ("post", reverse(f"{name}_add"), "add"),
        ("get", reverse(f"{name}_delete", args=[row]), "delete"),
        ("post", reverse(f"{name}_delete", args=[row]), "delete"),
    ]
    if model._meta.model_name == "user":
        attempts.append(
            ("get", reverse("admin:auth_user_password_change", args=[world.users[Role.AGENT].pk]), "change")
        )
    for method, url, action in attempts:
        response = answer(world, role, method, url)
        if role == ANONYMOUS:
            assert sends_to_login(response), f"{method} {url}: {response.status_code}"
        else:
            assert (response.status_code != 403) == may(role, action, model), (
                f"{method} {url} as {role}: {response.status_code}"
            )


@pytest.mark.parametrize("model", sorted(MODELS - OURS, key=str), ids=lambda model: model._meta.label_lower)
def test_what_libraries_add_to_the_admin_can_be_looked_at_and_not_changed(world, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for role in Role:
        is_open = answer(world, role, "get", reverse(f"{name}_changelist")).status_code == 200
        assert is_open == (role == Role.ADMINISTRATOR and model._meta.app_label == "django_q")
        for page, args in (("add", []), ("change", [0]), ("delete", [0])):
            assert answer(world, role, "post", reverse(f"{name}_{page}", args=args)).status_code == 403


@pytest.mark.parametrize("place", SITE_WIDE, ids=str)
def test_the_admin_s_own_pages_are_for_staff(place, world):
    samples = {"app_label": "consent", "content_type_id": 1, "object_id": 1, "url": "nowhere"}
    names = sorted(place.needs)
    url = reverse(f"admin:{place.name}", kwargs={n: samples[n] for n in names}) if place.name else "/admin/nowhere"
    if place.name == "login":
        assert answer(world, ANONYMOUS, "get", url).url == f"{reverse('login')}?next=/admin/"
        return
    assert sends_to_login(answer(world, ANONYMOUS, "get", url))
    assert answer(world, Role.AGENT, "get", url).status_code == 403
    for role in STAFF:
        status = answer(world, role, "get", url).status_code
        # Autocomplete refuses whoever does not say what to complete; the others may find nothing there.
        assert status != 403 or place.name == "autocomplete", f"{url} as {role}: {status}"


def test_signing_in_to_the_admin_is_signing_in(world):
    response = Client().get("/admin/consent/hold/", follow=True)
    assert response.redirect_chain[-1][0] == f"{reverse('login')}?next=/admin/consent/hold/"
