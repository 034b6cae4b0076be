"""Two who mark the same submissions at once wait for each other, and never in a circle."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from exchange import services
from exchange.models import Submission
from tests import cast, servers

if connection.vendor == "postgresql":

    @pytest.mark.django_db(transaction=True)
    def test_submissions_are_locked_in_one_order_whatever_the_request_says():
        course = cast.make_courses()
        released = [services.release(course, name, cast.upload(cast.PS1), by=cast.actor("alice")) for name in "ab"]
        first, second = (cast.submit(each.assignment, "bob") for each in released)
        assert_locked_after(first, [second, first], second)

    @pytest.mark.django_db(transaction=True)
    def test_submissions_of_an_assignment_are_locked_in_the_order_of_their_times():
        course = cast.make_courses()
        assignment = services.release(course, "ps1", cast.upload(cast.PS1), by=cast.actor("alice")).assignment
        newer, older = (cast.submit(assignment, name) for name in ("bob", "dave"))
        Submission.objects.filter(pk=older.pk).update(created=newer.created - timedelta(days=1))  # as an import does
        older.refresh_from_db()
        assert_locked_after(older, [newer, older], newer)

    def assert_locked_after(first, submissions, second):
        """Whoever collects them waits for the first, and has not locked the second."""

        def collect():
            services.mark_collected(submissions, by=cast.actor("gina"))
            connection.close()

        def is_somebody_waiting():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees the same for ever
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                return cursor.fetchone()[0]

        with transaction.atomic():
            Submission.objects.select_for_update().get(pk=first.pk)
            thread = threading.Thread(target=collect)
            thread.start()
            servers.wait_until(is_somebody_waiting)
            Submission.objects.select_for_update(nowait=True).get(pk=second.pk)
        thread.join()
        assert Submission.objects.filter(collected_at=None).count() == 0
