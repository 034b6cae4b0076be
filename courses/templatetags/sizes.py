"""A filter that writes a number of bytes as everything else does."""

from django import template

from courses.sizes import readable_size

register = template.Library()
register.filter("readable_size", readable_size)
