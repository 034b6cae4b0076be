"""`ngshare serve`: the production server, gunicorn with a worker of our own (ngshare_site/server).

Processes hold no state: more of them, here or on other machines, serve more users.
"""

import fcntl
import gc
import ipaddress
import os
import resource
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from exchange.notices import sending
from ngshare_site import metrics
from ngshare_site.server.worker import THREADS, Front, Worker, make_tls_context

MIGRATION_LOCK = 0x6E677368617265  # any number that nothing else in the database uses: "ngshare"


OPEN_FILES = 2**14  # of a process
YOUNG = 10_000  # objects that may be new before Python looks for cycles among them


class ServerLog(Logger):
    """gunicorn's messages, written as all others; observing.py writes the line of each request."""

    def setup(self, cfg: Config) -> None:
        self.error_log.setLevel(self.LOG_LEVELS[cfg.loglevel])
        self.error_log.propagate = True


class Server(BaseApplication):
    """gunicorn, configured from here and not from its own command line."""

    def __init__(self, application: WSGIHandler, places: int, options: Mapping[str, object]) -> None:
        self.application = application
        self.places = places
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Front:
        return Front(self.application, self.places)  # each process its own


class Command(BaseCommand):
    help = "Start the production server. Migrates the database first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default=default_bind(), help="address:port (default: %(default)s)")
        parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
        parser.add_argument(
            "--threads", type=int, default=4, help="requests that each works on at once (default: %(default)s)"
        )
        parser.add_argument("--no-migrate", action="store_true", help="do not migrate the database")

    def handle(
        self, *, bind: str, workers: int, threads: int, no_migrate: bool, verbosity: int, **options: object
    ) -> None:
        if workers < 1 or threads < 1:
            raise CommandError("--workers and --threads: write 1 or more.")
        if settings.NGSHARE_STANDALONE:
            self.warn_of_standalone(bind)
        elif not settings.JUPYTERHUB_API_URL:
            raise CommandError(
                "JUPYTERHUB_API_URL is not set: run this as a service of JupyterHub, set the JUPYTERHUB_* variables "
                "yourself, or set NGSHARE_STANDALONE=1 to try it out without a Hub."
            )
        tls = tls_options()
        if not no_migrate:
            with migration_lock():
                call_command("migrate", interactive=False, verbosity=min(verbosity, 1))
        connection.close()
        allow_many_files()
        self.stdout.write(f"ngshare serves at {'https' if tls else 'http'}://{bind}{settings.PREFIX}")
        self.stdout.flush()
        Server(
            get_wsgi_application(),  # before the processes are forked, which share its memory
            threads,
            {
                "bind": bind,
                "workers": workers,
                "threads": THREADS,
                "worker_class": Worker,
                "worker_connections": 2 * THREADS,  # the others are idle
                "sendfile": False,  # its time limit is one for the whole file
                "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
                "keepalive": 15,  # seconds; longer than a plugin's pause between two requests of one command
                "graceful_timeout": 60,  # seconds for uploads under way when the service stops
                "loglevel": "warning",
                "logger_class": ServerLog,
                "when_ready": lambda server: set_garbage_aside(),  # and this, too
                "post_worker_init": lambda worker: sending.start() if settings.NGSHARE_SEND_NOTICES else None,
                "post_fork": lambda server, worker: metrics.THREADS.set(threads),
                "child_exit": lambda server, worker: metrics.forget_process(worker.pid),
                "control_socket_disable": True,
                "forwarder_headers": "",  # none of a request: SCRIPT_NAME would move the service to another address
                **tls,
            },
        ).run()

    def warn_of_standalone(self, bind: str) -> None:
        if not is_loopback(bind):
            raise CommandError(
                f"NGSHARE_STANDALONE lets anybody act as any user: it binds to loopback (127.0.0.1), not to {bind}."
            )
        self.stderr.write(
            self.style.WARNING("UNSAFE: stand-alone mode. Whoever reaches this port can act as any user.")
        )


def tls_options() -> dict[str, object]:
    """Return gunicorn's options for the certificate of the service, if it has one. Errors: CommandError."""
    files = {
        "certfile": settings.JUPYTERHUB_SSL_CERTFILE,
        "keyfile": settings.JUPYTERHUB_SSL_KEYFILE,
        "ca_certs": settings.JUPYTERHUB_SSL_CLIENT_CA,
    }
    given = {option: file for option, file in files.items() if file}
    if not given:
        return {}
    if not {"certfile", "keyfile"} <= set(given):
        raise CommandError("JUPYTERHUB_SSL_CERTFILE, JUPYTERHUB_SSL_KEYFILE: set both to serve with TLS.")
    for file in given.values():
        if not os.access(file, os.R_OK):
            raise CommandError(f"JUPYTERHUB_SSL_…: cannot read {file}.")
    # With the authorities of the Hub's own certificates, whoever connects must show one of these.
    cert_reqs = ssl.CERT_REQUIRED if "ca_certs" in given else ssl.CERT_NONE
    return {**given, "cert_reqs": cert_reqs, "ssl_context": make_tls_context}


def allow_many_files() -> None:
    """Raise the limit of open files, of which each connection is one, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def set_garbage_aside() -> None:
    """Let Python look for cycles among what requests leave behind alone, and not among all that has been loaded.

    Each of these long searches holds up all threads of a process, and copies the memory that the processes share.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def default_bind() -> str:
    """Return the address where the Hub expects its service, or loopback."""
    parts = urlsplit(settings.JUPYTERHUB_SERVICE_URL)
    return f"{parts.hostname}:{parts.port or 80}" if parts.hostname else "127.0.0.1:12121"


def is_loopback(bind: str) -> bool:
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or bind.startswith("unix:")


@contextmanager
def migration_lock() -> Iterator[None]:
    """Hold a lock while migrating: several servers may start at once on one database."""
    if connection.vendor != "postgresql":
        with open(settings.DATA / "migrating.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the system releases it when the file is closed or the process dies
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
