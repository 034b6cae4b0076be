"""The files that the tests of real servers release and submit."""

RELEASED = {"ps1.ipynb": b'{"cells": []}', "data.csv": b"1,2,3\n" * 10_000}
