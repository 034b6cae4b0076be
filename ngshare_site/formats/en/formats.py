"""How dates and times are written on pages: as in files and commands, with the zone that they are in (UTC)."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = r"Y-m-d H:i \U\T\C"
