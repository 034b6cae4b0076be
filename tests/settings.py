"""The service's own settings, with everything that a test writes in a temporary folder.

DATABASE_URL, NGSHARE_STORAGE and NGSHARE_CACHE may be set outside to run the same tests on other parts.
"""

import atexit
import os
import shutil
import tempfile

DATA = tempfile.mkdtemp(prefix="ngshare-tests-")
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
for name in list(os.environ):
    if name.startswith(("NGSHARE_", "JUPYTERHUB_")) and name not in ("NGSHARE_STORAGE", "NGSHARE_CACHE"):
        if not name.startswith("NGSHARE_TEST_"):
            del os.environ[name]
os.environ["NGSHARE_DATA"] = DATA
os.environ["NGSHARE_SECRET_KEY"] = "of the tests alone: nothing that it signs is kept"

from ngshare_site.settings import *  # noqa: E402, F403

# Look for static files when one is asked for: WhiteNoise's list of all of them is made once per test client otherwise.
WHITENOISE_AUTOREFRESH = True
