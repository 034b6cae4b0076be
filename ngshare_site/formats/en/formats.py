"""How dates and times are written on pages: as in files and commands, with the zone that they are in."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "Y-m-d H:i T"  # where the zone matters, pages use the filters of courses/templatetags/times.py
