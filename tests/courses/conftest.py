from tests.exchange.conftest import assignment, browser, course, submission  # noqa: F401
