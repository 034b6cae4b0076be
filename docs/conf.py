"""Configure Sphinx: `make docs` builds these pages, which load nothing from other sites."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from ngshare_site import __version__

project = "ngshare"
author = "The ngshare developers"
copyright = f"2026, {author}"
version = release = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"ngshare {release}"
html_theme_options = {"top_of_page_buttons": []}
html_show_sourcelink = False
