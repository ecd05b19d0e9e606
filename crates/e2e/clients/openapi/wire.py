"""What schemathesis does not do by itself on the way to the operator and back."""

import base64
import socket

import schemathesis
from hypothesis import strategies

_ASKED = socket.getaddrinfo
JWT = "application/jwt"


def resolve_localhost():
    """Lets every connection of this process find names under localhost."""
    socket.getaddrinfo = _getaddrinfo


def _getaddrinfo(host, *arguments, **more):
    text = host.decode() if isinstance(host, bytes) else host
    if isinstance(text, str) and text.endswith(".localhost"):
        host = "127.0.0.1"
    return _ASKED(host, *arguments, **more)


@schemathesis.deserializer("application/json")
def read(context, response):
    """It takes a JWT for JSON; RFC 7519 §10.3.1 says that it is text."""
    if response.headers.get("content-type") == [JWT]:
        return response.content.decode("ascii")
    return response.json()


def write_jwt(case):
    """The same for what is sent: octets are sent as they are."""
    if case.media_type == JWT and isinstance(case.body, str):
        case.body = case.body.encode()


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


# The pattern says the same, but is slow to draw from.
schemathesis.openapi.format("base64url", strategies.binary(max_size=64).map(b64))
