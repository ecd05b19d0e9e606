//! The notice that a person reads before anything is taken, and what the person agrees to.
//!
//! The text says what the code beside it does; whoever changes the one changes the other and raises
//! [`VERSION`]. The operator keeps no consent: the holder has a signed receipt of it.

use credential::consent::{ChosenEvidence, ConsentReceipt, FaceConsent};
use credential::jose;
use credential::time::UnixTime;
use serde::Serialize;
use store::SessionId;

use super::session::{Consented, Step};
use super::{EnrolmentError, Enrolments, Hold, Status, session_text};

/// Counts the notices, from 1 on.
const VERSION: u32 = 1;

/// The notice as everybody is shown it.
pub struct Notice {
    json: String,
    digest: [u8; 32],
}

/// What a person agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// SHA-256 of the notice that was read.
    pub notice: [u8; 32],
    /// What the person is going to show.
    pub evidence: ChosenEvidence,
    /// Whether the face may be compared by a machine; apart from everything else.
    pub face: FaceConsent,
}

#[derive(Serialize)]
struct Content<'a> {
    version: u32,
    controller: &'a str,
    contact: &'a str,
    processing: Vec<&'a Processing>,
    withdrawal: &'static str,
}

/// One use of data.
#[derive(Serialize)]
struct Processing {
    id: &'static str,
    data: &'static [&'static str],
    purpose: &'static str,
    retention: &'static str,
    recipients: &'static [&'static str],
    /// `needed` for an enrolment, or `separate`: asked for by itself, with another way beside it.
    consent: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<&'static str>,
}

const RESIDENT_NUMBER: &str = "resident_number";
const FACE: &str = "face";

const PROCESSING: [Processing; 4] = [
    Processing {
        id: "document",
        data: &[
            "names",
            "birth date",
            "sex",
            "nationality",
            "document number",
            "person number",
            "portrait",
            "other details in data group 11",
            "signatures of the state and the chip",
        ],
        purpose: "to see that the document is genuine and valid, and what to certify",
        retention: "files and portrait until the decision, what is certified until the certificate \
                    is issued; all at most as long as the session, in memory alone",
        recipients: &["an officer, where a machine may not decide"],
        consent: "needed",
        otherwise: None,
    },
    Processing {
        id: RESIDENT_NUMBER,
        data: &["number", "name", "birth date"],
        purpose: "to ask an authoritative register whether they belong together, in place of a \
                  document with a chip",
        retention: "until the certificate is issued; at most as long as the session, in memory alone",
        recipients: &["the authoritative register", "an officer"],
        consent: "needed",
        otherwise: Some("enrol with a document that has a chip"),
    },
    Processing {
        id: FACE,
        data: &[
            "pictures of the face",
            "points in the face",
            "numbers that describe the face",
        ],
        purpose: "to see that a living person is there, the one of the document's portrait",
        retention: "until the comparison has ended, in memory alone; the result until the decision",
        recipients: &[],
        consent: "separate",
        otherwise: Some("an officer compares you with the portrait"),
    },
    Processing {
        id: "registration",
        data: &[
            "web number",
            "hidden commitments to secrets of the device",
            "tags of the numbers, of \
             which nobody alone can compute the number",
            "hash of the device's key",
        ],
        purpose: "one registration a person, renewal, and coming back after a loss",
        retention: "until the registration ends; then a mark that it has ended, and the tags",
        recipients: &["the trustees see each number hidden, and no name"],
        consent: "needed",
        otherwise: None,
    },
];

/// Which uses of data apply: an operator tells people of what it is set up for, and of nothing else.
#[derive(Clone, Copy, Debug)]
pub struct NoticeScope {
    /// It asks an authoritative register about resident numbers.
    pub resident_numbers: bool,
    /// A machine compares faces.
    pub faces: bool,
}

impl Notice {
    /// The notice of this operator; name and contact as people know them.
    #[must_use]
    pub fn new(controller: &str, contact: &str, scope: NoticeScope) -> Notice {
        let applies = |processing: &&Processing| match processing.id {
            RESIDENT_NUMBER => scope.resident_numbers,
            FACE => scope.faces,
            _ => true,
        };
        let content = Content {
            version: VERSION,
            controller,
            contact,
            processing: PROCESSING.iter().filter(applies).collect(),
            withdrawal: "at any moment before the certificate: the session ends and is wiped",
        };
        let json = serde_json::to_string(&content).expect("texts and numbers become JSON");
        let digest = jose::sha256(json.as_bytes());
        Notice { json, digest }
    }

    /// The octets that are shown and hashed.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl Enrolments {
    /// The notice that consents are about.
    #[must_use]
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// Takes the consent of a session that has begun; then the evidence can be sent.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::OtherNotice`] for another notice than the present one;
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn consent(
        &self,
        hold: Hold<'_>,
        consent: Consent,
        now: UnixTime,
    ) -> Result<(Status, ConsentReceipt), EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        if !matches!(session.step(), Step::AwaitingConsent) {
            return Err(EnrolmentError::WrongStep);
        }
        if consent.notice != self.notice.digest {
            return Err(EnrolmentError::OtherNotice);
        }
        session.advance(Step::AwaitingEvidence(Consented {
            evidence: consent.evidence,
            face: consent.face,
        }));
        let receipt = ConsentReceipt {
            iss: self.origin.clone(),
            session: session_text(session.id),
            notice_version: VERSION,
            notice_sha256: jose::encode(consent.notice),
            evidence: consent.evidence,
            face: consent.face,
            iat: now,
        };
        Ok((session.status(), receipt))
    }

    /// Withdraws the consent: the session ends and all it held is wiped. Again is no error as long
    /// as the session is known.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`] once the certificate is issued: the registration can be ended
    /// then. [`EnrolmentError::UnknownSession`].
    pub async fn withdraw(
        &self,
        (id, token): (SessionId, &str),
        now: UnixTime,
    ) -> Result<(), EnrolmentError> {
        let mut session = self.of_wallet(id, token, now).await?;
        if matches!(session.step(), Step::Issued(_)) {
            return Err(EnrolmentError::WrongStep);
        }
        session.refuse(super::Refusal::Withdrawn);
        Ok(())
    }
}
