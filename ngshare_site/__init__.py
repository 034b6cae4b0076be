"""The Django project: settings, addresses, checks and everything that speaks to JupyterHub."""

__version__ = "1.0.0.dev0"
