"""Taking over what another exchange holds: ngshare's database and files, or nbgrader's shared folder.

A *source* (ngshare.py, folder.py) tells what is there, in the words of sources.py. trees.py reads and verifies the
files, taking.py brings everything in through verbs.py, and report.py says what happened.
"""
