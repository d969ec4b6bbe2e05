"""Every setting, read from the environment, failing loudly where a value is missing.

``QIHANG_DEBUG`` (default on, for a laptop) is the only switch with wide effect: off, every secret
must be given and the demonstration profile does not exist.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("QIHANG_DATA_DIR", default=str(BASE_DIR / "var")))

DEBUG = env.bool("QIHANG_DEBUG", default=True)


def secret(name: str, *, laptop: str) -> str:
    """Read a secret; only in debug mode may it be absent.

    :raises ImproperlyConfigured: in production, if the environment does not have it
    """
    value: str = env.str(name, default="")
    if value:
        return value
    if DEBUG:
        return laptop
    raise ImproperlyConfigured(f"{name} must be set when QIHANG_DEBUG is off")


SECRET_KEY = secret("QIHANG_SECRET_KEY", laptop="laptop-only-" + "0" * 50)
ALLOWED_HOSTS = env.list("QIHANG_ALLOWED_HOSTS", default=["*"] if DEBUG else [])
# Absolute links (QR codes, signed files) start here; a request's Host header is not trusted.
PUBLIC_URL = env.str("QIHANG_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
if not DEBUG and not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("QIHANG_PUBLIC_URL must be an https address in production")

# Field encryption: "id:base64-of-32-bytes,…"; the first key encrypts, all of them decrypt.
FIELD_KEYS = dict(
    pair.split(":", 1)
    for pair in secret(
        "QIHANG_FIELD_KEYS",
        laptop="k0:" + base64.b64encode(hashlib.sha256(b"laptop field key").digest()).decode(),
    ).split(",")
)
INDEX_KEY = base64.b64decode(
    secret(
        "QIHANG_INDEX_KEY",
        laptop=base64.b64encode(hashlib.sha256(b"laptop index key").digest()).decode(),
    )
)

INSTALLED_APPS = [
    "people",
    "training",
    "incubator",
    "api",
    "config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "django_tasks_db",
    "corsheaders",
    "csp",
]

MIDDLEWARE = [
    "api.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "api.middleware.Compression",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "api.middleware.MethodOverride",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]


def database() -> dict[str, Any]:
    """Describe the database that ``DATABASE_URL`` names, tuned for its engine."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = env.db_url(
        "DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'qihang.sqlite3'}"
    )
    if found["ENGINE"].endswith("sqlite3"):
        found["OPTIONS"] = {
            # A deferred transaction that turns writer fails at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        # In memory, threads share one connection and a race test would prove nothing.
        found["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    else:
        found["OPTIONS"] = {
            "pool": {"min_size": 2, "max_size": env.int("QIHANG_POOL", default=16), "timeout": 20},
            "server_side_binding": True,
            "options": "-c statement_timeout=20s",
        }
    return found


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
TASKS = {
    "default": {
        "BACKEND": env.str("QIHANG_TASKS", default="django_tasks_db.DatabaseBackend"),
        "ENQUEUE_ON_COMMIT": False,
    }
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese (simplified)")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "files"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["api.access.RoleMay"],
    "DEFAULT_RENDERER_CLASSES": ["api.rendering.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.rendering.OnlyOneKind",
    "DEFAULT_PARSER_CLASSES": ["api.rendering.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Keyset",
    "DEFAULT_FILTER_BACKENDS": ["api.filters.ClosedFilters"],
    "DEFAULT_THROTTLE_CLASSES": ["api.limits.PerCaller"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Operation",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "api.problems.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": [
        "rest_framework.renderers.MultiPartRenderer",
        "rest_framework.renderers.JSONRenderer",
    ],
}
REQUESTS_A_MINUTE = {
    "user": env.int("QIHANG_USER_RATE", default=600),
    "anonymous": env.int("QIHANG_ANONYMOUS_RATE", default=120),
}
# How many proxies of ours append to X-Forwarded-For; 0 means that the header is ignored.
TRUSTED_PROXIES = env.int("QIHANG_TRUSTED_PROXIES", default=0)

SPECTACULAR_SETTINGS = {
    # Generators name their packages after it, so it is plain ASCII.
    "TITLE": "Qihang",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "CONTACT": {"name": "Qihang", "url": "https://qihang.example/support"},
    "LICENSE": {"name": "Proprietary", "url": "https://qihang.example/licence"},
    "SERVERS": [
        {
            "url": "/",
            "description": "Where this document came from, local or production.",
            "x-internal": False,
        },
    ],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_GENERATOR_CLASS": "api.schema.Document",
    "AUTHENTICATION_WHITELIST": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without this it would ask a validator on another host about every public address.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "REDOC_DIST": "SIDECAR",
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": ["api.schema.complete"],
}

CORS_ALLOWED_ORIGINS = env.list("QIHANG_CORS_ORIGINS", default=[])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "form-action": [SELF],
        "img-src": [SELF, "data:"],
    }
}
# No cookie authenticates anybody here, so there is no cross-site request to forge.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Health checks come from inside, over plain HTTP; the API never redirects a phone.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^api/"]

# Phones for which the fixed sign-in code works; in production the path does not exist.
DEMO_PHONES = ("13900000000", "13900099999") if DEBUG else None
SMS_BACKEND = env.str("QIHANG_SMS_BACKEND", default="people.sms.ConsoleSms")
REAL_NAME_BACKEND = env.str(
    "QIHANG_REAL_NAME_BACKEND", default="people.person_claims.NoRealNameCheck"
)
MINIMUM_APP_VERSION = env.str("QIHANG_MINIMUM_APP_VERSION", default="1.0.0")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "people.tracing.RequestIdFilter"},
        "refusals_are_no_warnings": {"()": "people.tracing.RefusalFilter"},
    },
    "formatters": {
        "line": {"format": "{asctime} {levelname} {request_id} {name} {message}", "style": "{"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": "line",
        },
        "warnings": {
            "class": "logging.StreamHandler",
            "level": "WARNING",
            "filters": ["request_id"],
            "formatter": "line",
        },
    },
    "root": {"handlers": ["console"], "level": env.str("QIHANG_LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django's own handler beside ours would tell everything twice while debugging.
        "django": {"handlers": [], "level": "INFO"},
        "django.request": {"filters": ["refusals_are_no_warnings"]},
        # The worker greets at every start, whatever level its logger is given here.
        "django_tasks_db": {"handlers": ["warnings"], "propagate": False},
    },
}
