"""The WSGI application, for `manage.py serve` or any other WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
application = get_wsgi_application()
