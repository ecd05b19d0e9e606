"""Who schemathesis is when it asks: a stranger, or somebody who is in the midst of an enrolment.

Environment: `DEVICE_KEY`, a JWK; `ANSWERS`, a file that gets a line for each answer; `SESSIONS`, absent
for a stranger: what `enrolment.py` needs, as JSON.
"""

import json
import os

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import negated_parameters

import wire
from enrolment import Enrolments, Turn

wire.resolve_localhost()
DEVICE_KEY = json.loads(os.environ["DEVICE_KEY"])
SESSIONS = os.environ.get("SESSIONS")
ENROLMENTS = Enrolments(json.loads(SESSIONS), DEVICE_KEY) if SESSIONS else None
ANSWERS = open(os.environ["ANSWERS"], "a", encoding="utf-8", buffering=1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts in what the generator cannot know, but leaves what is wrong on purpose."""
    operation = operation_id(context.operation)
    positive = case.meta.generation.mode.is_positive
    if positive and operation == "begin":
        # A point of the curve is all that is taken; no schema describes one.
        case.body["device_key"] |= DEVICE_KEY
    wire.write_jwt(case)
    if ENROLMENTS is not None:
        turn = ENROLMENTS.turn(operation) if positive else Turn.FORM
        put_in_session(context.operation, case, turn)


def put_in_session(operation, case, turn):
    wrong = {name.lower() for name, _ in negated_parameters(case.meta)}
    meant = not case.meta.is_negative_at(ParameterLocation.PATH)
    known = ENROLMENTS.for_request(operation_id(operation), turn) if meant else None
    if known:
        case.path_parameters["session"] = known.session
    if known and "If-Match" in case.headers and "if-match" not in wrong:
        moved = turn is Turn.NOT_THE_VERSION
        case.headers["If-Match"] = '"999"' if moved else known.version
    if known and turn is Turn.ALL:
        ENROLMENTS.make_true(operation_id(operation), known, case.body)
    if case.headers.get("Authorization") == Somebody.PLACE:
        # Last, since an officer's is about method and path as they are sent.
        case.headers["Authorization"] = credentials(case, operation, known)


def credentials(case, operation, known):
    if "officer" in security_of(operation):
        return ENROLMENTS.officer.speaks(case.method, case.formatted_path)
    return f"Bearer {known.token}" if known else Somebody.PLACE


if ENROLMENTS is not None:

    @schemathesis.auth(refresh_interval=None)
    class Somebody:
        """Says where credentials belong. They are for a step, so `before_call` gives them."""

        PLACE = "Bearer of-nobody"

        def get(self, case, context):
            known = security_of(context.operation) & {"token", "officer"}
            return self.PLACE if known else None

        def set(self, case, place, context):
            case.headers["Authorization"] = place


@schemathesis.hook
def after_call(context, case, response):
    if case.method.upper() == context.operation.method.upper():
        print(operation_id(context.operation), response.status_code, file=ANSWERS)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A wrong token is answered like a session that is not there: which of them it is, is not told
    (errors.md). schemathesis wants 401 or 403."""
    untold = type(failure).__name__ == "IgnoredAuth" and "`404 Not Found`" in failure.message
    return not (untold and "token" in security_of(context.operation))


def operation_id(operation):
    return operation.definition.raw["operationId"]


def security_of(operation):
    return {name for one in operation.definition.raw.get("security", []) for name in one}
