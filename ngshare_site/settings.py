"""Every setting, safe by default. What differs between sites comes from the environment (env.py).

Importing this module writes nothing: data_folder.py makes the folder and the secret key.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from ngshare_site import __version__, env

# Where things live

DATA = Path(env.text("NGSHARE_DATA", "ngshare-data")).absolute()
DATABASES = {"default": env.database("DATABASE_URL", DATA / "ngshare.sqlite3")}
STORAGES = {
    "default": env.storage("NGSHARE_STORAGE", DATA / "blobs"),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
NGSHARE_S3_DIRECT = env.direct("NGSHARE_S3_DIRECT", storage="NGSHARE_STORAGE")  # for what users reach the object store
CACHES: dict[str, dict[str, object]] = {
    "default": env.cache("NGSHARE_CACHE", DATA / "cache"),
    # Documents as they were rendered. Each machine has its own, in files: they are large, and made again when needed.
    "renderings": {
        "BACKEND": "ngshare_site.cache.ForgivingFileCache",
        "LOCATION": str(DATA / "renderings"),
        "KEY_PREFIX": __version__,
        "OPTIONS": {"MAX_ENTRIES": 1000},  # of 1 MB at most: documents.LARGEST_KEPT
    },
}
SECRET_KEY = env.secret("NGSHARE_SECRET_KEY", DATA)  # empty until data_folder.py has made it
SECRET_KEY_FALLBACKS = env.secrets("NGSHARE_SECRET_KEY_FALLBACKS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
NGSHARE_STAGING = DATA / "staging"  # uploads wait here, on the blob folder's own filesystem, until they are verified

# Who is who

NGSHARE_STANDALONE = env.flag("NGSHARE_STANDALONE")  # no Hub: the token is the user name; loopback only, unsafe
NGSHARE_ADMINS = env.names("NGSHARE_ADMINS")
NGSHARE_HUB_ADMINS = env.flag("NGSHARE_HUB_ADMINS")  # whoever is an administrator of the Hub is one here
NGSHARE_STRICT_SCOPES = env.flag("NGSHARE_STRICT_SCOPES")
NGSHARE_SERVICE_TOKENS = env.names("NGSHARE_SERVICE_TOKENS")  # names of Hub services that may use the API
NGSHARE_CLIENT_SECONDS = env.number("NGSHARE_CLIENT_SECONDS", 60, least=1)  # without a byte end a connection
NGSHARE_IDENTITY_SECONDS = env.number("NGSHARE_IDENTITY_SECONDS", 60)  # how long the Hub's answer about a token is kept
JUPYTERHUB_API_URL = env.text("JUPYTERHUB_API_URL").rstrip("/")
JUPYTERHUB_API_TOKEN = env.text("JUPYTERHUB_API_TOKEN")
JUPYTERHUB_SERVICE_NAME = env.text("JUPYTERHUB_SERVICE_NAME", "ngshare")
JUPYTERHUB_SERVICE_URL = env.text("JUPYTERHUB_SERVICE_URL")
JUPYTERHUB_BASE_URL = env.text("JUPYTERHUB_BASE_URL", "/")
JUPYTERHUB_CLIENT_ID = env.text("JUPYTERHUB_CLIENT_ID", f"service-{JUPYTERHUB_SERVICE_NAME}")
JUPYTERHUB_OAUTH_CALLBACK_URL = env.text("JUPYTERHUB_OAUTH_CALLBACK_URL")
JUPYTERHUB_PUBLIC_HUB_URL = env.text("JUPYTERHUB_PUBLIC_HUB_URL")
JUPYTERHUB_HOST = env.text("JUPYTERHUB_HOST")
# TLS: what the service shows to the proxy (and to the Hub, if that has certificates of its own: `internal_ssl`)
JUPYTERHUB_SSL_CERTFILE = env.text("JUPYTERHUB_SSL_CERTFILE")
JUPYTERHUB_SSL_KEYFILE = env.text("JUPYTERHUB_SSL_KEYFILE")
JUPYTERHUB_SSL_CLIENT_CA = env.text("JUPYTERHUB_SSL_CLIENT_CA")  # who signs the certificates of the Hub and its proxy
NGSHARE_GROUPS = env.flag("NGSHARE_GROUPS")  # add people to courses by their groups on the Hub
NGSHARE_GROUP_PATTERNS = {  # the groups' names; the defaults are nbgrader's own
    "student": env.unless_off("NGSHARE_GROUP_STUDENTS", "nbgrader-{course}"),
    "grader": env.unless_off("NGSHARE_GROUP_GRADERS"),
    "instructor": env.unless_off("NGSHARE_GROUP_INSTRUCTORS", "formgrade-{course}"),
}
AUTH_USER_MODEL = "courses.User"
AUTHENTICATION_BACKENDS = ["courses.backends.RosterBackend"]

# Limits on submissions, releases and feedback, in bytes and files

NGSHARE_MAX_FILE_SIZE = env.size("NGSHARE_MAX_FILE_SIZE", "2GB")
NGSHARE_MAX_SUBMISSION_SIZE = env.size("NGSHARE_MAX_SUBMISSION_SIZE", "4GB")
NGSHARE_MAX_FILES = env.number("NGSHARE_MAX_FILES", 10_000, least=1)
NGSHARE_API_V1_MAX_BODY = env.size("NGSHARE_API_V1_MAX_BODY", "200MiB")  # all files of a request, held in memory

# Reading in the browser

NGSHARE_RENDERERS = env.number("NGSHARE_RENDERERS", 1)  # documents rendered at once, in each process; 0: all downloads
NGSHARE_RENDERING_SECONDS = env.number("NGSHARE_RENDERING_SECONDS", 10, least=1)  # of processor time for a document
NGSHARE_RENDERING_MEMORY = env.size("NGSHARE_RENDERING_MEMORY", "256MB")
NGSHARE_RENDERING_SIZE = env.size("NGSHARE_RENDERING_SIZE", "10MB")  # larger files are downloads

# Quotas; an administrator may set others for a course

NGSHARE_MAX_SUBMISSIONS_PER_HOUR = env.number("NGSHARE_MAX_SUBMISSIONS_PER_HOUR", 60)  # of one member in one course
NGSHARE_MAX_COURSE_BYTES = env.size("NGSHARE_MAX_COURSE_BYTES", "1TB")
NGSHARE_MAX_PERSON_BYTES = env.size("NGSHARE_MAX_PERSON_BYTES", "20GB")  # in one course

# Deadlines

NGSHARE_TIME_ZONE = env.time_zone("NGSHARE_TIME_ZONE", "UTC")  # of courses that have none of their own
NGSHARE_GRADERS_MAY_EXTEND = env.flag("NGSHARE_GRADERS_MAY_EXTEND")  # graders may grant extensions

# Notices

NGSHARE_MAIL = env.some_of("NGSHARE_MAIL", ("released", "submitted", "feedback_returned", "due_soon"))  # sent by mail
NGSHARE_MAIL_PER_DAY = env.number("NGSHARE_MAIL_PER_DAY", 20, least=1)  # to one person
NGSHARE_DUE_SOON_HOURS = env.number("NGSHARE_DUE_SOON_HOURS", 24, least=1)
NGSHARE_WEBHOOK_HOSTS = [host.lower() for host in env.names("NGSHARE_WEBHOOK_HOSTS")]  # none: any host
NGSHARE_SEND_NOTICES = env.flag("NGSHARE_SEND_NOTICES", default=True)  # from the processes of `serve`
NGSHARE_PUBLIC_ORIGIN = env.origin("NGSHARE_PUBLIC_URL", instead="JUPYTERHUB_PUBLIC_URL")
if NGSHARE_MAIL:
    env.require("NGSHARE_MAIL_SERVER", because_of="NGSHARE_MAIL")
    env.require("NGSHARE_MAIL_FROM", because_of="NGSHARE_MAIL")
    env.require("NGSHARE_PUBLIC_URL", because_of="NGSHARE_MAIL", instead="JUPYTERHUB_PUBLIC_URL")
NGSHARE_MAIL_FROM = DEFAULT_FROM_EMAIL = env.text("NGSHARE_MAIL_FROM", "ngshare@localhost")
_mail_server = env.mail_server("NGSHARE_MAIL_SERVER")
EMAIL_HOST, EMAIL_PORT = _mail_server.host, _mail_server.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail_server.user, _mail_server.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail_server.scheme == "smtp+starttls", _mail_server.scheme == "smtps"
EMAIL_TIMEOUT = 10  # seconds

# Addresses

PREFIX = "/" + env.text("JUPYTERHUB_SERVICE_PREFIX", "/").strip("/") + "/"
PREFIX = "/" if PREFIX == "//" else PREFIX
ROOT_URLCONF = "ngshare_site.urls"
STATIC_URL = f"{PREFIX}static/"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = PREFIX
LOGIN_URL = f"{PREFIX}login/"
LOGIN_REDIRECT_URL = PREFIX
# The Hub's proxy passes on whatever host name the user typed. Nothing here builds a trusted address from it.
ALLOWED_HOSTS = env.names("NGSHARE_ALLOWED_HOSTS") or (
    ["localhost", "127.0.0.1", "[::1]"] if NGSHARE_STANDALONE else ["*"]
)
USE_X_FORWARDED_HOST = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # set by the Hub's proxy, which is the only way in
CSRF_TRUSTED_ORIGINS = env.names("NGSHARE_TRUSTED_ORIGINS")

# Cookies and headers

SESSION_COOKIE_NAME = "ngshare-session"
CSRF_COOKIE_NAME = "ngshare-csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds, as long as the Hub's own token
# Each address that browsers use tells whether they come by https. Where none is known, the answer to https has secure
# cookies (middleware.py).
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = env.flag(
    "NGSHARE_SECURE_COOKIES",
    any(
        urlsplit(address).scheme == "https"
        for address in (
            env.text("JUPYTERHUB_PUBLIC_URL"),
            JUPYTERHUB_PUBLIC_HUB_URL,
            JUPYTERHUB_HOST,
            JUPYTERHUB_OAUTH_CALLBACK_URL,
        )
    ),
)
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# Django

DEBUG = False
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ngshare_site",  # each before those whose admin templates it extends
    "exchange",
    "exchange.notices",
    "courses",
    "ngshare_site.apps.SiteAdminConfig",  # django.contrib.admin, with our own site
]
MIDDLEWARE = [
    "ngshare_site.observing.observe",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ngshare_site.middleware.secure_cookies",
    "ngshare_site.middleware.keep_out_of_caches",
    "ngshare_site.middleware.refuse_malformed",
    "ngshare_site.middleware.refuse_foreign_pages",
    "ngshare_site.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "ngshare_site.middleware.LanguageOfReader",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ngshare_site.middleware.refuse_too_large",  # nothing reads the body earlier: CSRF does it when a view is called
    "ngshare_site.hub.sessions.end_with_hub_session",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ngshare_site.middleware.ZoneOfPages",
    "ngshare_site.observing.count_database_failures",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.i18n",
                "django.template.context_processors.request",
                "django.template.context_processors.tz",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ngshare_site.portal.context.base",
            ]
        },
    }
]
WSGI_APPLICATION = "ngshare_site.wsgi.application"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
APPEND_SLASH = False  # an address of API v1 with a slash at its end is a 404
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # docs/translating.md says how to add one
LANGUAGE_CODE = env.choice("NGSHARE_LANGUAGE", *(code for code, _name in LANGUAGES))  # where nobody asks for another
LANGUAGE_COOKIE_NAME = "ngshare-language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = "ngshare_site.formats"
# A roster file whose differences were shown comes back as a form of up to this. All other forms may have a fraction of
# it: courses/body_limits.py says how much, by address.
DATA_UPLOAD_MAX_MEMORY_SIZE = 11_000_000  # bytes
DATA_UPLOAD_MAX_NUMBER_FILES = NGSHARE_MAX_FILES  # of the form to submit; the first handler bounds those of others
FILE_UPLOAD_HANDLERS = [
    "ngshare_site.form_limits.FewFiles",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a form that asks whether to remove all members of a course
SILENCED_SYSTEM_CHECKS = [
    # HSTS: a header of ours would bind the Hub and every other service on its host name. The proxy in front sends it.
    "security.W004",
    # Redirects to https: the proxy in front sends them. Behind it, users' servers and probes speak http.
    "security.W008",
]
NGSHARE_LOG_FORMAT = env.choice("NGSHARE_LOG_FORMAT", "line", "json")
NGSHARE_METRICS_TOKEN = env.text("NGSHARE_METRICS_TOKEN")  # without one, metrics are for programs on this machine
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "ngshare_site.logs.LineFormatter"},
        "json": {"()": "ngshare_site.logs.JSONFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": NGSHARE_LOG_FORMAT, "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": env.text("NGSHARE_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
}

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ngshare_site.hub.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["courses.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "courses.api.schema.NativeAutoSchema",
    "DEFAULT_PAGINATION_CLASS": "courses.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "courses.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ngshare",
    "DESCRIPTION": "The exchange between nbgrader's instructors and students on JupyterHub.",
    "VERSION": __version__,
    "DEFAULT_GENERATOR_CLASS": "courses.api.schema.EnglishSchemaGenerator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r".*/api/v2/",
}
