"""A JupyterHub on loopback with ngshare as its service: what `make demo` and the end-to-end tests run.

DEMO_* variables say where it lives; run.py sets them. The lines between the two rules are what a real Hub needs.
"""

import json
import os
import secrets
import sys
from pathlib import Path

import jupyterhub

c = get_config()  # noqa: F821

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ["DEMO_FOLDER"])
PORT, HUB_PORT, PROXY_PORT, NGSHARE_PORT = (int(port) for port in os.environ["DEMO_PORTS"].split(","))
BASE_URL = os.environ.get("DEMO_BASE_URL", "/")
HAS_ROLES = os.environ.get("DEMO_ROLES", "1") == "1"
IS_MANAGED = os.environ.get("DEMO_MANAGED", "1") == "1"  # does the Hub start the service itself?
NGSHARE_TOKEN = os.environ.get("DEMO_NGSHARE_TOKEN") or secrets.token_hex(32)
BIN = Path(sys.executable).parent
SERVICE_PYTHON = os.environ.get("DEMO_SERVICE_PYTHON", sys.executable)

# ---- what a real Hub needs, too: the service, and the roles that let users and their servers in

c.JupyterHub.services = [
    {
        "name": "ngshare",
        "url": f"http://127.0.0.1:{NGSHARE_PORT}",
        "api_token": NGSHARE_TOKEN,
        "oauth_no_confirm": True,
        **(
            {
                "command": [SERVICE_PYTHON, str(ROOT / "manage.py"), "serve", "--workers", "2"],
                "environment": {
                    "NGSHARE_DATA": str(FOLDER / "ngshare"),
                    "NGSHARE_ADMINS": "admin",
                    **json.loads(os.environ.get("DEMO_NGSHARE_ENV", "{}")),
                },
            }
            if IS_MANAGED
            else {"oauth_redirect_uri": f"http://127.0.0.1:{PORT}{BASE_URL}services/ngshare/oauth_callback"}
        ),
    },
]
if HAS_ROLES:
    c.JupyterHub.load_roles = [
        # list:services is for nbgrader's Course List, which looks for formgraders among the Hub's services
        {"name": "user", "scopes": ["self", "access:services!service=ngshare", "list:services"]},
        {
            "name": "server",
            "scopes": [
                "users:activity!user",
                "access:servers!server",
                "access:services!service=ngshare",
                "list:services",
            ],
        },
    ]

# ---- the rest is a Hub for one computer, where anybody logs in with any password

if IS_MANAGED and jupyterhub.version_info >= (6,):
    c.JupyterHub.services[0]["timeout"] = 300  # seconds to start, on a busy machine; without it the Hub ends after 30
c.JupyterHub.services.append(
    {"name": "demo", "api_token": os.environ["DEMO_TOKEN"]},
)
c.JupyterHub.load_roles = [
    *(c.JupyterHub.load_roles if HAS_ROLES else []),
    {
        "name": "demo",
        "services": ["demo"],
        "scopes": ["admin:users", "tokens", "admin:servers", "access:servers", "access:services", "admin:groups"],
    },
]
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}{BASE_URL}"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = HUB_PORT
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie_secret")
c.JupyterHub.pid_file = str(FOLDER / "jupyterhub.pid")
c.JupyterHub.log_level = "WARN"
c.JupyterHub.cleanup_servers = os.environ.get("DEMO_CLEANUP", "1") == "1"
c.JupyterHub.cleanup_proxy = c.JupyterHub.cleanup_servers
# The proxy in Python cuts what takes longer than 20 seconds, unless it is told another limit, in milliseconds.
c.ConfigurableHTTPProxy.command = [str(BIN / "configurable-http-proxy"), "--log-level", "warning"]
c.ConfigurableHTTPProxy.command += ["--proxy-timeout", str(10 * 60 * 1000)]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PROXY_PORT}"
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
c.ConfigurableHTTPProxy.auth_token = os.environ.get("DEMO_PROXY_TOKEN") or secrets.token_hex(32)

PEOPLE = os.environ.get("DEMO_PEOPLE", "admin,alice,bob,carol,dave").split(",")
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = set(PEOPLE)
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "homes" / "{username}")
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.args = [
    *(["--allow-root"] if os.geteuid() == 0 else []),
    "--ServerApp.log_level=WARN",
]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = c.Spawner.start_timeout = 300
c.Spawner.environment = {
    "NGSHARE_URL": f"http://127.0.0.1:{PORT}{BASE_URL}services/ngshare",
    "JUPYTER_CONFIG_PATH": str(FOLDER / "etc"),
    "PATH": f"{BIN}:{os.environ.get('PATH', '/usr/bin:/bin')}",
    "PYTHONPATH": str(ROOT),
    "SHELL": "/bin/bash",
}

if more := os.environ.get("DEMO_MORE"):  # a file with further lines
    exec(Path(more).read_text())
