#!/usr/bin/env python
"""ngshare's command line, from a checkout."""

from ngshare_site.__main__ import main

if __name__ == "__main__":
    main()
