"""How dates and times are written on German pages. Fields of forms show them as in files, and take German ones, too."""

DATE_FORMAT = "d.m.Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "d.m.Y H:i T"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d.%m.%Y"]  # browsers' own fields for a date take the first alone
DATETIME_INPUT_FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"]
