"""What a person's browser does in a log-in: cookies, redirects, pages that go on by themselves."""

import html
import re
import socket
import time
from urllib.parse import urljoin, urlsplit

import requests

PATIENCE_SECS = 60
REDIRECTS_MAX = 10
TIMEOUT_SECS = 10

_system_getaddrinfo = socket.getaddrinfo


def _getaddrinfo(host, *args, **kwargs):
    """Names under localhost are this machine (RFC 6761 section 6.3); not every system knows."""
    if isinstance(host, str) and (host == "localhost" or host.endswith(".localhost")):
        host = "127.0.0.1"
    return _system_getaddrinfo(host, *args, **kwargs)


def resolve_localhost():
    """Lets every connection of this process find names under localhost."""
    socket.getaddrinfo = _getaddrinfo


class Browser:
    """A browser with its cookies; it trusts the authorities in `ca_file` alone."""

    def __init__(self, ca_file):
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file

    def open(self, url, end):
        """Opens `url` and follows redirects; one to `end` is not opened, only told."""
        for _ in range(REDIRECTS_MAX + 1):
            if _leads_to(url, end):
                return Page(url, arrived=True)
            answer = self._session.get(url, allow_redirects=False, timeout=TIMEOUT_SECS)
            location = answer.headers.get("location")
            if location is None:
                if not answer.ok:
                    raise RuntimeError(f"{url} answered {answer.status_code}: {_text(answer.text)}")
                return Page(url, answer.text)
            url = urljoin(url, location)
        raise RuntimeError("too many redirects")

    def wait_for_redirect(self, page, end):
        """Lets a page refresh itself until it has led to `end`, and gives that address."""
        deadline = time.monotonic() + PATIENCE_SECS
        while not page.arrived:
            interval = re.search(r'http-equiv="refresh" content="(\d+)', page.html)
            if interval is None:
                raise RuntimeError(f"the page does not go on: {_text(page.html)}")
            if time.monotonic() > deadline:
                raise RuntimeError("nobody answered")
            time.sleep(int(interval[1]))
            page = self.open(page.url, end)
        return page.url


class Page:
    """A page that is shown, or the address that the browser was sent to."""

    def __init__(self, url, text="", arrived=False):
        self.url = url
        self.html = text
        self.arrived = arrived

    def request_link(self):
        """The request in the command that the page shows for a wallet in a terminal."""
        command = re.search(r'data-testid="wallet-command">([^<]*)<', self.html)
        link = command and re.search(r"openid4vp://[^']*", html.unescape(command[1]))
        if not link:
            raise RuntimeError(f"no request for a wallet: {_text(self.html)}")
        return link[0]


def _leads_to(url, end):
    return urlsplit(url)[:3] == urlsplit(end)[:3]


def _text(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
