# A sample of an image for users' servers: JupyterLab, nbgrader and the plugin. From the top of a clone:
#
#     podman build -f deploy/image/singleuser.Dockerfile -t ngshare-singleuser .
#
# If you have an image already, all it needs is `pip install ngshare-plugin` and nbgrader_config.py (docs/containers.md).

ARG BASE=python:3.13-slim-trixie

# hadolint ignore=DL3006 # whoever builds chooses the tag
FROM ${BASE}
# Where users install packages of their own, too.
RUN python3 -m venv /opt/jupyter && useradd --create-home --uid 1000 --gid 100 --shell /bin/bash jovyan
ENV PATH=/opt/jupyter/bin:$PATH
WORKDIR /src
# The folder need not be there, so it comes with a file that is.
COPY constraints.txt wheelhous[e] /wheelhouse/
COPY nbgrader_plugin nbgrader_plugin
RUN if ls /wheelhouse/*.whl; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheelhouse; fi; \
    pip install --no-cache-dir --constraint /wheelhouse/constraints.txt \
        jupyterhub jupyterlab notebook nbgrader ./nbgrader_plugin
# Where the service is comes from NGSHARE_URL in the environment, or from the Hub.
RUN mkdir -p /etc/jupyter \
    && printf '%s\n' 'from nbgrader_plugin import configure' '' 'c = get_config()' 'configure(c)' > /etc/jupyter/nbgrader_config.py
WORKDIR /home/jovyan
USER 1000:100
EXPOSE 8888
CMD ["jupyterhub-singleuser", "--ip=0.0.0.0"]
