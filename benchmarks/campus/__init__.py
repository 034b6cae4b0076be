"""A university: how much each request costs as the site grows. `python -m benchmarks.campus --help` says more.

`server` runs in processes of its own, one for each database, with ngshare's settings.
"""
