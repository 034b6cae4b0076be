"""A JupyterHub whose users each have a container of their own, with Docker or Podman, and share no disk.

The Hub runs on the machine of the containers, ngshare in one of them. docs/containers.md says how to make the network
and how to start ngshare. Load this file in your own `jupyterhub_config.py`, with `load_subconfig`, or paste it there;
how users log in, and https, are yours to add.
"""

import os

c = get_config()  # noqa: F821

NETWORK = os.environ.get("NETWORK", "ngshare")  # of all containers
GATEWAY = os.environ.get("GATEWAY", "10.89.7.1")  # this machine, as the containers see it
NGSHARE = os.environ.get("NGSHARE", "10.89.7.2")  # ngshare's container

# What is needed for ngshare on any Hub: the service, and the roles that let users and their servers in.

c.JupyterHub.services = [
    {
        "name": "ngshare",
        "url": f"http://{NGSHARE}:12121",
        "api_token": os.environ["NGSHARE_API_TOKEN"],  # the same as ngshare's JUPYTERHUB_API_TOKEN
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

# A container for each user.

c.JupyterHub.bind_url = "http://:8000"  # the proxy: for browsers
c.JupyterHub.hub_bind_url = f"http://{GATEWAY}:8081"  # the Hub itself: for the containers alone
c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.image = os.environ.get("SINGLEUSER_IMAGE", "ngshare-singleuser:latest")
c.DockerSpawner.network_name = NETWORK
c.DockerSpawner.volumes = {"{prefix}-{username}": "/home/jovyan"}  # each home is a volume
c.DockerSpawner.remove = True  # of what has stopped, the volume stays
c.DockerSpawner.extra_host_config = {"cap_drop": ["all"], "security_opt": ["no-new-privileges"]}
c.DockerSpawner.environment = {"NGSHARE_URL": f"http://{NGSHARE}:12121/services/ngshare"}
