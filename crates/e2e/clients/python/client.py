"""Logs one person in through a gateway with Authlib's OpenID client, without a web framework."""

import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.base_client import BaseApp, OAuthError
from authlib.integrations.base_client.sync_app import OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session

from browser import Browser, resolve_localhost


class Client(OAuth2Mixin, OpenIDMixin, BaseApp):
    """What Authlib's own classes for web frameworks are made of."""

    client_cls = OAuth2Session


def log_in(environment):
    ca_file, redirect_uri = environment["CA_FILE"], environment["REDIRECT_URI"]
    secret = environment.get("CLIENT_SECRET") or None
    client = Client(
        framework=None,
        client_id=environment["CLIENT_ID"],
        client_secret=secret,
        server_metadata_url=environment["ISSUER"] + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": environment.get("SCOPE", "openid"),
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "verify": ca_file,
            "trust_env": False,
        },
    )
    if client.load_server_metadata()["issuer"] != environment["ISSUER"]:
        raise RuntimeError("the metadata is another issuer's")
    begun = client.create_authorization_url(redirect_uri)

    answer = as_the_person(Browser(ca_file), begun["url"], redirect_uri)
    if answer.get("state") != begun["state"]:
        raise RuntimeError("the answer is for another request")
    if "error" in answer:
        raise OAuthError(answer["error"], answer.get("error_description"))
    token = client.fetch_access_token(
        redirect_uri, code=answer["code"], code_verifier=begun["code_verifier"]
    )
    # The library takes any algorithm that the provider offers; a client is registered for one.
    alg = environment.get("ALG", "ES256")
    client.server_metadata["id_token_signing_alg_values_supported"] = [alg]
    claims = client.parse_id_token(token, nonce=begun["nonce"])
    if claims is None:
        raise RuntimeError("there is no ID token")
    userinfo = client.userinfo(token=token)
    if userinfo["sub"] != claims["sub"]:
        raise RuntimeError("userinfo is another person's")
    return {"claims": dict(claims), "userinfo": dict(userinfo)}


def as_the_person(browser, url, end):
    """The parameters that the browser brings back."""
    page = browser.open(url, end)
    if not page.arrived:
        say({"link": page.request_link()})
    arrived = browser.wait_for_redirect(page, end)
    return {name: values[0] for name, values in parse_qs(urlsplit(arrived).query).items()}


def say(message):
    print(json.dumps(message), flush=True)


def main():
    resolve_localhost()
    try:
        say(log_in(os.environ))
    except Exception as error:  # every failure is told on one line
        say({"error": f"{type(error).__name__}: {error}"})
        return 1
    return 0


sys.exit(main())
