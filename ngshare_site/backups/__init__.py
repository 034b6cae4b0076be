"""Backup and restore.

A backup is a folder with the blobs, which never change, and one dated *snapshot* for each time that it was made: the
database, the secret key, the list of its blobs, and `backup.json`, which is written last. folder.py is the layout,
databases.py reads and copies databases, making.py, checking.py and restoring.py are what the two commands do.
"""
