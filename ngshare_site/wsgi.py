"""The WSGI application for any WSGI server. `ngshare serve` needs no other one."""

import os

from django.core.wsgi import get_wsgi_application

from ngshare_site import data_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ngshare_site.settings")
data_folder.prepare()
application = get_wsgi_application()
