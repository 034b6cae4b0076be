"""Importing what another exchange holds: ngshare's database and files, or nbgrader's exchange directory.

A *source* (ngshare.py, exchange_directory.py) says what is there, in the terms of sources.py. files.py reads and
verifies the files, importing.py goes through the source, history.py writes the rows, report.py says what happened.
feedback_archive.py reads what nbgrader's folder `feedback` has.
"""
