"""Compares what others asked the operator and were answered with its description.

Arguments: the description, and a JSON file: a list of `method`, `path`, `headers`, `body`, `status`,
`answer_headers`, `answer`; header names in lower case, bodies in base64. `ANSWERS`: as for `hooks.py`.
Prints what differs; exit status 1 if anything does.
"""

import base64
import json
import os
import sys
import traceback
from urllib.parse import parse_qsl

import jsonschema_rs
import requests
import schemathesis
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import wire

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Description:
    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            self.raw = json.load(text)
        self.schema = schemathesis.openapi.from_dict(self.raw)

    def compare(self, exchange, answers):
        """What differs, as texts."""
        path = exchange["path"].partition("?")[0]
        found = self.schema.find_operation_by_path(exchange["method"], path)
        if found is None:
            return ["the address is not described"]
        operation = found.definition.raw
        print(operation["operationId"], exchange["status"], file=answers)
        differs = self._of_answer(found, exchange)
        if exchange["status"] < 300:
            # What is refused may be of any form.
            differs += list(self._of_request(operation, exchange))
        return differs

    def _of_request(self, operation, exchange):
        for parameter in map(self._resolved, operation.get("parameters", [])):
            if parameter["in"] == "header":
                value = exchange["headers"].get(parameter["name"].lower())
                yield from self._errors(parameter["schema"], value)
        if "requestBody" in operation:
            media_type = exchange["headers"]["content-type"]
            described = operation["requestBody"]["content"].get(media_type)
            if described is None:
                yield f"a body of type {media_type}"
            else:
                yield from self._errors(described["schema"], body(media_type, exchange["body"]))

    def _errors(self, schema, value):
        whole = {**schema, "components": self.raw["components"]}
        validator = jsonschema_rs.Draft202012Validator(whole)
        return [f"{error.instance_path}: {error.kind}" for error in validator.iter_errors(value)]

    def _resolved(self, described):
        while "$ref" in described:
            _, *names = described["$ref"].split("/")
            described = self.raw
            for name in names:
                described = described[name]
        return described

    def _of_answer(self, operation, exchange):
        url = f"https://operator.localhost{exchange['path']}"
        request = requests.Request(exchange["method"], url).prepare()
        named = zip(operation.path.split("/"), exchange["path"].split("/"))
        session = {"session": text for name, text in named if name == "{session}"}
        answer = Response(
            status_code=exchange["status"],
            headers={name: [value] for name, value in exchange["answer_headers"].items()},
            content=base64.b64decode(exchange["answer"]),
            request=request,
            elapsed=0,
            verify=True,
        )
        try:
            operation.Case(path_parameters=session).validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            return [str(failure) for failure in failures.exceptions]
        except Failure as failure:
            return [str(failure)]
        return []


def body(media_type, text):
    octets = base64.b64decode(text)
    if media_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(octets.decode()))
    return octets.decode() if media_type == wire.JWT else json.loads(octets)


def main(file, exchanges):
    description = Description(file)
    with open(exchanges, encoding="utf-8") as text:
        exchanges = json.load(text)
    differing = 0
    with open(os.environ["ANSWERS"], "a", encoding="utf-8") as answers:
        for exchange in exchanges:
            for differs in description.compare(exchange, answers):
                differing += 1
                print(exchange["method"], exchange["path"], exchange["status"], differs)
    return 1 if differing or not exchanges else 0


try:
    sys.exit(main(*sys.argv[1:]))
except Exception:  # 1 says that something differs
    traceback.print_exc()
    sys.exit(2)
