"""The Hub of test_docker_spawner.py: the configuration in deploy/docker-spawner, at ports of its own, and who logs in.

The DEMO_* variables are those of deploy/demo/hub.py, which starts it.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821
load_subconfig(str(Path(__file__).parents[2] / "deploy" / "docker-spawner" / "jupyterhub_config.py"))  # noqa: F821

FOLDER = Path(os.environ["DEMO_FOLDER"])
GATEWAY, NETWORK = os.environ["GATEWAY"], os.environ["NETWORK"]
PORT, HUB_PORT, PROXY_PORT, _ = os.environ["DEMO_PORTS"].split(",")

c.JupyterHub.bind_url = f"http://{GATEWAY}:{PORT}"
c.JupyterHub.hub_bind_url = f"http://{GATEWAY}:{HUB_PORT}"
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
c.ConfigurableHTTPProxy.command += ["--proxy-timeout", str(10 * 60 * 1000)]  # milliseconds, not 20 seconds
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PROXY_PORT}"
c.ConfigurableHTTPProxy.auth_token = os.environ["DEMO_PROXY_TOKEN"]
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie_secret")

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {"admin", "alice", "bob", "carol"}
c.JupyterHub.services.append({"name": "demo", "api_token": os.environ["DEMO_TOKEN"]})
c.JupyterHub.load_roles.append(
    {
        "name": "demo",
        "services": ["demo"],
        "scopes": ["admin:users", "tokens", "admin:servers", "access:servers", "access:services"],
    }
)
c.DockerSpawner.prefix = NETWORK
c.Spawner.http_timeout = c.Spawner.start_timeout = 300
