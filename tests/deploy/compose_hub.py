"""The Hub of deploy/compose/everything, as its users meet it: by logging in, and in their servers' terminals."""

import time

import requests

from tests import cast

PATIENCE = 120  # seconds that a user's server may take
TIMEOUT = 60  # seconds


def ask(token, method, url, **request):
    """Send a request with a token; a bundle, if it has data."""
    headers = {"Authorization": f"token {token}"}
    if "data" in request:
        headers["Content-Type"] = "application/x-tar"
    answer = requests.request(method, url, headers=headers, timeout=TIMEOUT, **request)
    assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
    return answer


class Visitor:
    """Somebody who has logged in, and their token."""

    def __init__(self, url, username, password):
        self.url = url
        with requests.Session() as browser:
            browser.get(f"{url}/hub/login", timeout=TIMEOUT)
            form = {"username": username, "password": password, "_xsrf": browser.cookies["_xsrf"]}
            browser.post(f"{url}/hub/login?next=/hub/token", data=form, timeout=TIMEOUT).raise_for_status()
            mark = {"X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/")}
            tokens = f"{url}/hub/api/users/{username}/tokens"
            answer = browser.post(tokens, headers=mark, json={"note": "test"}, timeout=TIMEOUT)
            answer.raise_for_status()
            self.token = answer.json()["token"]

    def ask(self, method, address, **request):
        return ask(self.token, method, self.url + address, **request)

    def ngshare(self, method, address, **request):
        return self.ask(method, f"/services/ngshare{address}", **request)


class Administrator(Visitor):
    def start_course(self):
        """Create the course that alice teaches and bob takes, and release its first assignment."""
        self.ngshare("POST", cast.v2("courses"), json={"name": cast.COURSE, "instructors": ["alice"]})
        bob = {"members": [{"username": "bob", "role": "student"}]}
        self.ngshare("POST", cast.v2("courses", cast.COURSE, "members", "bulk"), json=bob)
        self.ngshare("POST", cast.of_assignment("releases"), data=cast.bundle(cast.PS1))

    def submissions(self):
        return self.ngshare("GET", cast.of_assignment("submissions")).json()["results"]

    def start_server(self, username):
        """Start the server of somebody who has not been here before."""
        self.ask("POST", f"/hub/api/users/{username}")
        self.ask("POST", f"/hub/api/users/{username}/server")
        deadline = time.monotonic() + PATIENCE
        while not self.ask("GET", f"/hub/api/users/{username}").json()["servers"].get("", {}).get("ready"):
            assert time.monotonic() < deadline, f"the server of {username} does not start"
            time.sleep(0.5)
