"""`python -m benchmarks.campus`: write a university, or measure what every request costs in three of different sizes.

With --size it writes one into the database that the settings name, which must be empty. With --measure it makes
databases of its own. What is measured belongs to a part that all sizes have alike, so growth shows what depends on the
size of the site: the last column, of CPU time, which other work on the machine does not change.
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.campus import databases, measuring

SIZES = (1, 10, 100)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campus", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--size", type=int, choices=SIZES, metavar="PERCENT", help="write a university: 1, 10 or 100")
    what.add_argument("--measure", action="store_true", help="measure every request in universities of all sizes")
    what.add_argument("--plans", action="store_true", help="print each request's statements with the database's plans")
    parser.add_argument(
        "--database", default="", metavar="URL", help="with --size: DATABASE_URL; else sqlite (default) or postgres"
    )
    parser.add_argument("--only", default="", metavar="PATTERN", help="requests whose names match")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the universities there, and use those of it")
    parser.add_argument("--without-statistics", action="store_true", help="PostgreSQL just after the rows were written")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    if options.size:
        database = {"DATABASE_URL": options.database} if options.database else {}
        return databases.write(options.size, {**os.environ, **database}).returncode
    if options.database not in ("", "sqlite", "postgres"):
        parser.error("--database: write sqlite or postgres")
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngshare-campus-")))
        is_postgres = options.database == "postgres"
        sizes = list(SIZES) if options.measure else [max(SIZES)]
        found = stack.enter_context(databases.universities(folder.absolute(), sizes, postgres=is_postgres))
        if is_postgres and not options.without_statistics:
            for environment in found.values():
                databases.analyze(environment)
        if options.plans:
            measuring.print_plans(found, options.only)
            return 0
        name = "PostgreSQL" if is_postgres else "SQLite"
        rows = measuring.measure(found, options.only)
        if not rows:
            parser.error(f"--only: no request is named like {options.only!r}")
        print(measuring.table(name, rows))
        if options.json:
            figures = {"database": name, "rows": [row.as_json() for row in rows]}
            options.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
