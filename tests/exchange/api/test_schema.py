"""The schema is whole, and its page loads nothing from elsewhere."""

import re

from django.core.management import call_command

from tests import cast


def test_schema_is_generated_without_a_warning(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))
    assert "/api/v2/blobs/missing/" in (tmp_path / "schema.yml").read_text()


def test_page_to_read_it_loads_nothing_from_elsewhere(db):
    page = cast.client().get("/api/v2/docs/").content.decode()
    assert "swagger" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
