"""Django's settings of the included provider.

Everything that differs from site to site comes from the environment; `start.configure` sets
it from the site's own settings, and `docs/sign-in.md` says what each name means.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import environ

env = environ.FileAwareEnv()  # type: ignore[no-untyped-call]

VAR = Path(env.str("NIGHTPRESS_SIGNIN_VAR", "var")).resolve()
SECRETS = VAR / "secrets"


def _secret(name: str) -> str:
    """Text of a file in var/secrets; empty before `nightpress signin prepare` has made it."""
    file = SECRETS / name
    return file.read_text("ascii") if file.is_file() else ""


# ---- Names and addresses
SITE_NAME = env.str("NIGHTPRESS_SITE_NAME", "Nightpress")
SITE_URL = env.str("NIGHTPRESS_SITE_URL", "https://localhost:8443").rstrip("/")
SIGNIN_URL = env.str("NIGHTPRESS_SIGNIN_URL", "https://signin.localhost:8444").rstrip("/")
IS_DEMO = env.bool("NIGHTPRESS_SIGNIN_DEMO", False)
ALLOWED_HOSTS = [urlsplit(SIGNIN_URL).hostname or ""]
STUDENTS = env.str("NIGHTPRESS_SIGNIN_STUDENTS", "anyone")
"""Who may register: `anyone` (and is a student until admitted to more), or only the `listed`."""
TRUSTED_PROXY = str(ipaddress.ip_address(env.str("NIGHTPRESS_SIGNIN_PROXY", "127.0.0.1")))
"""The one machine whose word about the reader's address and scheme is taken."""

# ---- Secrets and tokens
SECRET_KEY = _secret("signin-key")
IDP_OIDC_PRIVATE_KEY = _secret("signin-rsa.pem")
IDP_OIDC_ADAPTER = "deploy.signin.adapter.Claims"
# Sessions at the site end after eight hours; a token that ended earlier would end them too.
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 9 * 3600
IDP_OIDC_RP_INITIATED_LOGOUT_ASKS_FOR_OP_LOGOUT = False

# ---- The project
DEBUG = False
ROOT_URLCONF = "deploy.signin.urls"
AUTH_USER_MODEL = "signin.Account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "deploy.signin.apps.SignInConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "deploy.signin.headers.SafeHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,  # this app comes first, so its pages replace those of allauth
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deploy.signin.headers.names",
            ]
        },
    }
]
LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = env.str("NIGHTPRESS_TIMEZONE", "UTC")

# ---- Database, and counters that all threads and processes share
DATABASES = {
    "default": env.db_url(
        "NIGHTPRESS_SIGNIN_DATABASE", f"sqlite:///{VAR / 'signin' / 'signin.sqlite'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "signin_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# ---- Passwords, accounts
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_CHECKS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_CHECKS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": f"{_CHECKS}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": f"{_CHECKS}.CommonPasswordValidator"},
    {"NAME": f"{_CHECKS}.NumericPasswordValidator"},
]
UNCONFIRMED_DAYS = max(1, env.int("NIGHTPRESS_SIGNIN_UNCONFIRMED_DAYS", 7))
"""Days after which an account goes that nobody has confirmed."""
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account_home"
ACCOUNT_ADAPTER = "deploy.signin.adapter.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "deploy.signin.adapter.display"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "deploy.signin.forms.WithName"
# A code typed into the browser that registered, not a link that anybody may follow: who
# registers with another's address cannot be let in by that person's click.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SIGNIN_URL).scheme
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",  # one limit for each kind: two would count together
    "confirm_email": "3/m/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = 1
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
# A code typed as it ends is taken, as RFC 6238 (section 5.2) advises: clocks differ.
MFA_TOTP_TOLERANCE = 1

# ---- Mail: a server by URL (smtp+tls://user:password@host:587), or files for a look
_MAIL = env.str("NIGHTPRESS_MAIL", "")
if _MAIL:
    vars().update(env.email_url("NIGHTPRESS_MAIL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str(
    "NIGHTPRESS_MAIL_FROM", f"{SITE_NAME} <no-reply@{urlsplit(SITE_URL).hostname}>"
)

# ---- Browsers: https only, cookies for this host alone, short sessions
SESSION_COOKIE_NAME = "__Host-signin"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-signin-form"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "deploy.signin.views.form_refused"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# ---- Own sheet, the theme's sheet and fonts; Apache serves what collectstatic gathers
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "signin-static"  # readable by Apache, as var/signin is not
STATICFILES_DIRS = [Path(__file__).resolve().parents[2] / "theme" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"nightpress.signin": {"level": "INFO"}},
}
