"""Python runs this at its start in the servers whose clock a test sets: the file NGSHARE_TEST_CLOCK has the seconds to
add to the true time."""

import os
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

true_time = timezone.now


def now():
    return true_time() + timedelta(seconds=float(Path(os.environ["NGSHARE_TEST_CLOCK"]).read_text()))


timezone.now = now
