"""Pagination by cursor, so that every page of a list costs the same."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    page_size = 1000
    page_size_query_param = "page_size"
    max_page_size = 5000
    ordering = "pk"
