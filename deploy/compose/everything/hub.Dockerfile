# JupyterHub, its proxy, and DockerSpawner. From the top of a clone:
#
#     docker build -f deploy/compose/everything/hub.Dockerfile -t ngshare-hub .

ARG BASE=python:3.13-slim-trixie

# hadolint ignore=DL3006 # whoever builds chooses the tag
FROM ${BASE}
RUN python3 -m venv /opt/jupyterhub
ENV PATH=/opt/jupyterhub/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
# The folder need not be there, so it comes with a file that is.
COPY constraints.txt wheelhous[e] /wheelhouse/
RUN if ls /wheelhouse/*.whl; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheelhouse; fi; \
    pip install --no-cache-dir --constraint /wheelhouse/constraints.txt \
        jupyterhub dockerspawner configurable-http-proxy
WORKDIR /srv/jupyterhub
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/hub/health', timeout=4)"]
# Root, who may use Docker's socket.
CMD ["jupyterhub", "--config", "/etc/jupyterhub/jupyterhub_config.py"]
