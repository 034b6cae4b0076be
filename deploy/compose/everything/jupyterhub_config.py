"""A JupyterHub in a container, whose users each have a container of their own and share no disk.

Everybody who knows the password can log in under any name: replace the lines under "Who may log in" by those of your
authenticator. Behind https, set PUBLIC_URL.
"""

import os
from pathlib import Path

from docker.types import Mount
from dockerspawner import SwarmSpawner

c = get_config()  # noqa: F821


def read_secret(name: str) -> str:
    """Return the variable NAME, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else os.environ[name]


# ngshare

c.JupyterHub.services = [
    {
        "name": "ngshare",
        "url": "http://haproxy:12121",
        "api_token": read_secret("NGSHARE_API_TOKEN"),  # the same as ngshare's JUPYTERHUB_API_TOKEN
        "oauth_redirect_uri": os.environ["PUBLIC_URL"] + "/services/ngshare/oauth_callback",
        "oauth_no_confirm": True,
    },
]
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

# Who may log in

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = read_secret("HUB_PASSWORD")
c.SharedPasswordAuthenticator.admin_password = read_secret("HUB_ADMIN_PASSWORD")
c.Authenticator.admin_users = {"admin"}
c.Authenticator.allow_all = True

# A container for each user; its home is a volume that stays


class SwarmSpawnerWithVolumes(SwarmSpawner):
    """SwarmSpawner mounts folders of the node alone. Here a home is a volume, as DockerSpawner does it."""

    @property
    def mounts(self) -> list[Mount]:
        return [
            Mount(volume["bind"], name, type="volume", driver_config=self.mount_driver_config)
            for name, volume in self.volume_binds.items()
        ]


in_swarm = os.environ.get("SPAWNER") == "swarm"
c.JupyterHub.spawner_class = SwarmSpawnerWithVolumes if in_swarm else "docker"
c.DockerSpawner.image = os.environ["SINGLEUSER_IMAGE"]
c.DockerSpawner.network_name = os.environ["USERS_NETWORK"]
c.DockerSpawner.volumes = {"{prefix}-{username}": "/home/jovyan"}
c.DockerSpawner.remove = True
c.DockerSpawner.environment = {"NGSHARE_URL": "http://hub:8000/services/ngshare"}
c.DockerSpawner.start_timeout = c.DockerSpawner.http_timeout = 120  # seconds
if in_swarm:
    c.SwarmSpawner.extra_endpoint_spec = {"mode": "dnsrr"}
else:
    c.DockerSpawner.extra_host_config = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}

# The Hub itself: the proxy in this container restarts with it, the users' servers go on

c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.pid_file = "/tmp/proxy.pid"
# In milliseconds: otherwise, this proxy cuts uploads and downloads that take longer than 20 seconds.
c.ConfigurableHTTPProxy.command = ["configurable-http-proxy", "--proxy-timeout", str(60 * 60 * 1000)]
