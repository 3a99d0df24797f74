"""Settings: one file, everything that differs between installations comes from the environment.

Each variable may also be given as ``NAME_FILE``, a path to a file that holds it. docs/settings.md lists them all.
"""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.urls import reverse_lazy

from contactcenter import engines
from contactcenter.lib import env

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))


# ``manage.py doctor`` changes nothing; what it does not find it makes up for itself.
only_looks = sys.argv[1:2] == ["doctor"]


@contextmanager
def in_var_dir() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise env.RefusedError(
            f"VAR_DIR is {VAR_DIR}, which cannot be used ({error.strerror}: {error.filename}): name a folder of yours."
        ) from error


@in_var_dir()
def kept_secret(name: str) -> str:
    """A random secret made once and kept under ``var/``: a first start needs no configuration."""
    path = VAR_DIR / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        if only_looks:
            return secrets.token_urlsafe(50)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(fresh)  # fails when another process was first: theirs is the one
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_text().strip()


# --- Where it runs -----------------------------------------------------------------------------------------

DEBUG = False
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, most=65535)
WEB_PROCESSES = env.number("WEB_PROCESSES", 2)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECRET_KEY = env.text("SECRET_KEY") or kept_secret("secret-key")
# Its own key, because it may never change: it is how the suppression of an erased number is found again.
PHONE_HASH_KEY = env.text("PHONE_HASH_KEY") or SECRET_KEY

# Behind TLS everything is told so; a demo on this machine speaks plain HTTP.
is_https = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = is_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_https else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31536000 if is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = is_https
SECURE_HSTS_PRELOAD = is_https
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = is_https
SESSION_COOKIE_AGE = 60 * 60 * 12
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- What it is made of ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "contactcenter",
    "contactcenter.api",
    "conversations",
    "consent",
    "contactcenter.accounts",
    "contactcenter.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "django_q",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "contactcenter.maintenance.MaintenanceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "contactcenter.accounts.access.RoleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "contactcenter.urls"
ASGI_APPLICATION = "contactcenter.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["contactcenter.accounts.access.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
CSRF_FAILURE_VIEW = "contactcenter.accounts.views.page_too_old"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.read(
    "TIME_ZONE",
    "America/New_York",
    lambda name: ZoneInfo(name).key,
    "give a name like America/New_York that this machine knows (its package tzdata).",
)
USE_TZ = True
# Consumers' own pages are in three languages; the compiled catalogs are kept, so that no tool is needed to run.
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"  # for those who serve files by another server; WhiteNoise finds them by itself
if not only_looks:
    with in_var_dir():
        STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True

# --- PostgreSQL holds the truth, Redis carries hints ---------------------------------------------------------

embedded = engines.urls(VAR_DIR)
REDIS_URL = env.text("REDIS_URL") or embedded.redis


def postgresql(url: str) -> dict[str, Any]:
    if environ.Env.DB_SCHEMES.get(url.partition("://")[0].lower()) != "django.db.backends.postgresql":
        raise ValueError("another database than PostgreSQL")
    return environ.Env.db_url_config(url)  # type: ignore[no-any-return]


database = env.read(
    "DATABASE_URL",
    embedded.database,
    postgresql,
    "give one like postgresql://user:password@host/name, with what is special in a password as %XX, or none at all.",
)
# Connections are kept for the life of their thread, and every pool of threads is bounded: ten times faster, measured.
database |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
database["OPTIONS"] = {
    "connect_timeout": 5,
    # A database host that vanished is noticed within half a minute, not after the system's two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    **database.get("OPTIONS", {}),
    # A process that stops in the middle of a transaction (frozen, swapped out) may not hold up the others for longer.
    "options": f"-c idle_in_transaction_session_timeout=15s {database.get('OPTIONS', {}).get('options', '')}".strip(),
}
DATABASES = {"default": database}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": env.text("REDIS_PREFIX", "contactcenter")},
    }
}

# What all processes count together. The default stays in each process: what it keeps must not depend on Redis.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.text("REDIS_PREFIX", "contactcenter"),
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    },
}

# --- Work in the background ----------------------------------------------------------------------------------

# The ORM broker makes a task part of the transaction that enqueues it, and runs it at least once. `retry` must exceed
# `timeout` times the tasks that may wait before it in one process, else a task runs twice: hence the short queue.
Q_CLUSTER = {
    "name": "contactcenter",
    "orm": "default",
    "broker_class": "contactcenter.broker.Broker",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.1,
    "timeout": 60,
    "retry": 200,
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    "scheduler": False,
    "save_limit": 100,
    "label": "Tasks",
    "ALT_CLUSTERS": {
        "agents": {"workers": 2, "queue_limit": 2},
        "campaigns": {"workers": 1, "queue_limit": 1},
    },
}

# --- The carrier ---------------------------------------------------------------------------------------------

VONAGE_APPLICATION_ID = env.text("VONAGE_APPLICATION_ID")
VONAGE_PRIVATE_KEY = env.text("VONAGE_PRIVATE_KEY").replace("\\n", "\n")
VONAGE_API_KEY = env.text("VONAGE_API_KEY")
# Two, separated by a comma, while the secret is being rotated.
VONAGE_SIGNATURE_SECRETS = env.words("VONAGE_SIGNATURE_SECRET")
VONAGE_API_HOST = env.text("VONAGE_API_HOST", "api.nexmo.com")
VONAGE_TIMEOUT_SECONDS = env.number("VONAGE_TIMEOUT_SECONDS", 10)
# Requests per second that the account may make (the carrier's default is 30 per API key).
VONAGE_REQUESTS_PER_SECOND = env.number("VONAGE_REQUESTS_PER_SECOND", 30)
# Where the stand-in for the carrier serves its handsets: demo and tests only.
SANDBOX_URL = env.text("SANDBOX_URL")

# --- The API -------------------------------------------------------------------------------------------------

API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 600)
REST_FRAMEWORK = {
    # A view that does not say who may use it is for nobody.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["contactcenter.api.parsers.Json"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "contactcenter.api.problems.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Contact center",
    "VERSION": "1",
    "DESCRIPTION": "Record consent, take it back, send alerts to whoever agreed, and read what became of each.",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

# --- Consumers' own pages --------------------------------------------------------------------------------------

# Uses of the form to join, in how many seconds: by one address (an office, a shop's tablet), and for one number.
JOINS_PER_ADDRESS = (30, 3600)
JOINS_PER_NUMBER = (5, 86400)

# --- Mail, logs ----------------------------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL")
# A demo's mail goes nowhere: a page shows it, to whoever plays the customer.
MAILBOX = bool(SANDBOX_URL) and not EMAIL_URL
vars().update(
    env.read(
        "EMAIL_URL",
        "dummymail://" if MAILBOX else "consolemail://",
        environ.Env.email_url_config,
        "give one like smtp+tls://user:password@host:587, with what is special in a password as %XX.",
    )
)
EMAIL_TIMEOUT = 10
own_host = PUBLIC_URL.partition("://")[2].partition("/")[0].partition(":")[0]
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"no-reply@{own_host}")
# Whether mail reaches anybody; what only prints it (the default) would break what the pages promise.
CAN_MAIL = MAILBOX or not vars()["EMAIL_BACKEND"].endswith((".console.EmailBackend", ".dummy.EmailBackend"))
# Copies of what people agreed to, for one address in how many seconds.
MAILS_PER_ADDRESS = (5, 86400)

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "filters": {"refusals": {"()": "contactcenter.lib.logs.Refusals"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["console"], "level": env.one_of("LOG_LEVEL", "INFO", LEVELS)},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django-q": {"level": "WARNING"},
    },
}
