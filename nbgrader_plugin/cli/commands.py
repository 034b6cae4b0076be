"""What the subcommands of `ngshare-course-management` share: nbgrader's settings and the connection."""

import argparse

from ..client.client import NgshareClient
from .output import load_nbgrader


class Commands:
    """Subcommands, each a method that takes the parsed options."""

    def __init__(self) -> None:
        self.app = load_nbgrader()
        self.client = NgshareClient(parent=self.app)

    def run(self, options: argparse.Namespace) -> None:
        with self.client.connected():
            getattr(self, options.method)(options)
