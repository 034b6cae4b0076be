"""A home directory in which the real nbgrader command line runs."""

import os
import subprocess
import sys
from pathlib import Path

from tests import forked, servers

CONFIG = """
from nbgrader_plugin import configure

c = get_config()
configure(c)
c.NgshareClient.list_timeout = 120.0  # a busy machine may need more than people are asked to wait
"""


class Home:
    """Someone's home directory; nothing in it is shared with anybody."""

    language = ""  # as in LANGUAGE

    def __init__(self, service, folder, username, python=sys.executable):
        self.service, self.folder, self.username, self.python = service, folder, username, python
        (folder / ".jupyter").mkdir(parents=True)
        (folder / ".jupyter" / "nbgrader_config.py").write_text(CONFIG)

    def nbgrader(self, *arguments, cwd=None, fails=False):
        """Return what nbgrader prints; it must fail or not, as told."""
        done = forked.nbgrader(*arguments, python=self.python, env=self.env, cwd=cwd or self.folder)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr + done.stdout

    def manage(self, *arguments, cwd=None):
        """Return what ngshare-course-management prints."""
        command = [self.python, "-m", "nbgrader_plugin.cli.course_management", *arguments]
        where = cwd or self.folder
        done = subprocess.run(command, cwd=where, env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stderr + done.stdout

    @property
    def env(self):
        return {
            "PATH": f"{Path(self.python).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(servers.ROOT),
            "NGSHARE_URL": self.service.url,
            "JUPYTERHUB_API_TOKEN": self.username,
            "LANGUAGE": self.language,
        }
