"""nbgrader's exchange classes, and the folders and the local cache that they read and write."""
