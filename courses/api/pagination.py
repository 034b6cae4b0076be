"""How lists are cut: by cursor, so that a page costs the same wherever it lies."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    page_size = 1000
    page_size_query_param = "page_size"
    max_page_size = 5000
    ordering = "pk"
