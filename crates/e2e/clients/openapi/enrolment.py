"""Enrolments that wait at the step that a request is about.

Needs: `operator` (origin), `ca_file`, `passport` (folder), `resident` (body of a request), `officer`,
`officer_key` (file, PKCS #8).
"""

import enum
import hashlib
import json
import pathlib
import secrets
import time
from dataclasses import dataclass

import requests
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from wire import b64

STEPS = {
    "consent": "awaiting_consent",
    "document": "evidence_of_document",
    "resident": "evidence_of_resident",
    "chip": "awaiting_chip",
    "evidence": "awaiting_officer",
    "decide": "awaiting_officer",
    "commit": "confirmed",
    "restore": "confirmed",
}
# What is asked of a session at any step, or at none that this program can reach: it has no chip,
# without whose proof no face is looked at.
ANY = ["status", "withdraw", "challengeFace", "face", "leaveFaceOut", "decideByMachine"]
EVERY = [*dict.fromkeys(STEPS.values()), "refused"]
# Each confirmation costs the trustees work, of which they do a limited amount a minute.
WITHDRAWN = [step for step in EVERY if step != "confirmed"]


class Turn(enum.Enum):
    """What is right about a request whose form is right."""

    ALL = 0
    FORM = 1
    NOT_THE_STEP = 2
    NOT_THE_VERSION = 3


# Who sends them can have the chip asked.
CHIP = ("dg14", "dg15")


@dataclass
class Known:
    session: str
    token: str
    version: str = ""


class Enrolments:
    def __init__(self, world, device_key):
        self.operator = world["operator"]
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = world["ca_file"]
        self.device_key = device_key
        self.resident = world["resident"]
        self.officer = Officer(self.operator, world["officer"], world["officer_key"])
        self.notice = b64(hashlib.sha256(self._get("/.well-known/bauta/notice").content).digest())
        self.files = files(pathlib.Path(world["passport"]))
        self.kept = {}
        self.asked = {}
        self.rounds = 0

    def turn(self, operation):
        """Which one it is for `operation`: one after the other."""
        count = self.asked[operation] = self.asked.get(operation, -1) + 1
        return Turn(count % len(Turn))

    def for_request(self, operation, turn):
        """A session at the step where `operation` belongs, as it is asked for in this turn."""
        if operation in STEPS:
            return self._at(another(STEPS[operation], turn))
        if operation in ANY:
            steps = WITHDRAWN if operation == "withdraw" else EVERY
            self.rounds += 1
            return self._at(steps[self.rounds % len(steps)])
        return None

    def make_true(self, operation, known, body):
        """Makes a body of the right form one that is accepted, where this program can."""
        if operation == "consent":
            body["notice_sha256"] = self.notice
        elif operation == "document":
            body.clear()
            body |= {name: file for name, file in self.files.items() if name not in CHIP}
        elif operation == "resident":
            body.clear()
            body |= self.resident
        elif operation == "decide":
            body["decision"] = self._decision(known.session, "refuse")

    def _at(self, step):
        known = self.kept.get(step)
        if known and self._is_at(known, step):
            return known
        known = self.kept[step] = self._begin()
        self._lead(known, step)
        if not self._is_at(known, step):
            raise RuntimeError(f"no session came to {step}: {self._status(known).text}")
        return known

    def _is_at(self, known, step):
        """Whether it still is there; the kinds of evidence look the same from outside."""
        answer = self._status(known)
        if not answer.ok:
            return False
        known.version = answer.headers["ETag"]
        status = answer.json()
        return status["state"] == ("awaiting_evidence" if step.startswith("evidence_of") else step)

    def _begin(self):
        answer = self.http.post(f"{self.operator}/enrolment", json={"device_key": self.device_key})
        answer.raise_for_status()
        begun = answer.json()
        return Known(begun["session"], begun["token"])

    def _lead(self, known, step):
        if step == "awaiting_consent":
            return
        if step == "refused":
            self._send(known, "DELETE", "", None)
            return
        chosen = "resident_number" if step == "evidence_of_resident" else "document"
        consent = {"notice_sha256": self.notice, "evidence": chosen, "face": "withheld"}
        self._send(known, "PUT", "/consent", consent)
        if step.startswith("evidence_of"):
            return
        left_out = () if step == "awaiting_chip" else CHIP
        sent = {name: file for name, file in self.files.items() if name not in left_out}
        self._send(known, "PUT", "/document", sent)
        if step == "confirmed":
            body = {"decision": self._decision(known.session, "confirm")}
            self._as_officer("POST", f"/officer/enrolments/{known.session}/decision", body)

    def _decision(self, session, verdict):
        evidence = self._as_officer("GET", f"/officer/enrolments/{session}", None).json()
        return self.officer.decides(session, evidence["evidence_digest"], verdict)

    def _as_officer(self, method, path, body):
        headers = {"Authorization": self.officer.speaks(method, path)}
        answer = self.http.request(method, self.operator + path, json=body, headers=headers)
        answer.raise_for_status()
        return answer

    def _send(self, known, method, path, body):
        known.version = self._status(known).headers["ETag"]
        headers = {"Authorization": f"Bearer {known.token}", "If-Match": known.version}
        url = f"{self.operator}/enrolment/{known.session}{path}"
        self.http.request(method, url, json=body, headers=headers).raise_for_status()

    def _status(self, known):
        return self._get(f"/enrolment/{known.session}", Authorization=f"Bearer {known.token}")

    def _get(self, path, **headers):
        return self.http.get(self.operator + path, headers=headers)


class Officer:
    """Signs as docs/specs/enrolment.md says."""

    def __init__(self, operator, name, key_file):
        self.operator = operator
        self.name = name
        self.key = load_der_private_key(pathlib.Path(key_file).read_bytes(), None)

    def speaks(self, method, path):
        """The `Authorization` header of one request."""
        now = int(time.time())
        statement = {
            "iss": self.name,
            "aud": self.operator,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
            "htm": method.upper(),
            "htu": self.operator + path,
        }
        return f"Officer {self._sign('bauta-officer+jwt', statement)}"

    def decides(self, session, digest, verdict):
        decision = {
            "iss": self.name,
            "session": session,
            "evidence_digest": digest,
            "decision": verdict,
            "reason": "test",
            "iat": int(time.time()),
        }
        return self._sign("bauta-officer-decision+jwt", decision)

    def _sign(self, typ, payload):
        parts = ({"alg": "ES256", "typ": typ}, payload)
        text = ".".join(b64(json.dumps(part).encode()) for part in parts)
        r, s = utils.decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def another(step, turn):
    if turn is not Turn.NOT_THE_STEP:
        return step
    return "refused" if step == "awaiting_consent" else "awaiting_consent"


def files(folder):
    """The files of a chip, as a document's upload names them."""
    numbers = ("DG1", "DG2", "DG11", "DG14", "DG15", "SOD")
    found = ((name, folder / f"EF.{name}") for name in numbers)
    return {name.lower(): b64(file.read_bytes()) for name, file in found if file.exists()}
