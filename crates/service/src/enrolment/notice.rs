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
const VERSION: u32 = 3;

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
const REGISTRATION: &str = "registration";

const WEB_NUMBER: &str = "web number";
const COMMITMENTS: &str = "hidden commitments to secrets of the device, and to what is certified";
const NUMBER_TAGS: &str = "tags of the numbers, of which nobody alone can compute the number";
const NAME_TAG: &str = "a tag of name, birth date and sex together, of which nobody alone can \
                        compute them";
const DEVICE_KEY: &str = "hash of the device's key";
const STANDING: &str = "whether the registration has ended, how often the person began anew, and the \
                        week of the latest certificate";
const EVIDENCE: &str = "what kind of evidence was shown, what it was worth, and on which day";

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
            "whether they match, and how often they did not for a document",
        ],
        purpose: "to see that a living person is there, the one of the document's portrait",
        retention: "until the comparison has ended; the result until the decision; how often a \
                    document was not matched, an hour; all in memory alone",
        recipients: &[
            "an officer, where one has to decide, sees whether a machine found a match",
            "the trustees are told that a machine has compared, and keep that without knowing whom",
        ],
        consent: "separate",
        otherwise: Some("an officer compares you with the portrait"),
    },
    Processing {
        id: REGISTRATION,
        data: &[
            WEB_NUMBER,
            COMMITMENTS,
            NUMBER_TAGS,
            NAME_TAG,
            DEVICE_KEY,
            STANDING,
            EVIDENCE,
        ],
        purpose: "one registration a person, renewal, and coming back after a loss; an officer looks \
                  again when somebody of the same name, birth date and sex enrols",
        retention: "for good, also once the registration has ended: that is marked, and nothing is \
                    deleted",
        recipients: &[
            "the trustees see numbers, and name with birth date and sex, hidden",
            "the trustees keep the kind and worth of the evidence, and the day, for good and also \
             where no registration follows, without knowing whose",
        ],
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a column is in the notice.
    enum Told {
        As(&'static str),
        /// It comes from no person.
        Not,
    }
    use Told::{As, Not};

    /// Every column of what keeps something of people for longer than an enrolment: the register, and
    /// the trustees' log. Whoever adds one adds it here, and to the notice where it comes from a
    /// person.
    const STORED: [(&str, &[(&str, Told)]); 4] = [
        (
            "register.sqlite: table registration",
            &[
                ("web_number", As(WEB_NUMBER)),
                ("commitment", As(COMMITMENTS)),
                ("generation", As(STANDING)),
                ("status", As(STANDING)),
                ("last_epoch", As(STANDING)),
                ("device_key_hash", As(DEVICE_KEY)),
                ("slot_commitment", As(COMMITMENTS)),
            ],
        ),
        (
            "register.sqlite: table tag",
            &[
                ("tag_index", As(NUMBER_TAGS)),
                ("kind", As(NUMBER_TAGS)),
                ("tag_sealed", As(NUMBER_TAGS)),
                ("web_number", As(WEB_NUMBER)),
            ],
        ),
        (
            "register.sqlite: table review_tag",
            &[
                ("tag_index", As(NAME_TAG)),
                ("tag_sealed", As(NAME_TAG)),
                ("review_id", Not),
            ],
        ),
        (
            TRUSTEES_LOG,
            &[
                ("evidence_hash", Not),
                ("kind", As(EVIDENCE)),
                ("level", As(EVIDENCE)),
                ("day", As(EVIDENCE)),
            ],
        ),
    ];

    const TRUSTEES_LOG: &str = "trustee.sqlite: table evaluation_log";

    /// These tables, with their columns. That the data model has every column of the schemas is seen
    /// by a flow of `crates/e2e`.
    fn stored() -> Vec<(String, Vec<String>)> {
        let model = include_str!("../../../../docs/data-model.md");
        let sections = model.split("\n## ").filter_map(|section| {
            let (title, text) = section.split_once('\n')?;
            let stays = title.starts_with("register.sqlite: ") || title == TRUSTEES_LOG;
            stays.then(|| {
                let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
                let columns = rows.filter_map(|row| row.split('`').next());
                (title.to_owned(), columns.map(str::to_owned).collect())
            })
        });
        sections.collect()
    }

    #[test]
    fn what_is_kept_of_people_is_told() {
        let listed = STORED.iter().map(|(table, columns)| {
            let columns = columns.iter().map(|(column, _)| (*column).to_owned());
            ((*table).to_owned(), columns.collect())
        });
        assert_eq!(stored(), listed.collect::<Vec<(String, Vec<String>)>>());
        let registration = PROCESSING.iter().find(|one| one.id == REGISTRATION);
        let mut told: Vec<&str> = registration.unwrap().data.to_vec();
        for (_, columns) in &STORED {
            for (column, as_what) in *columns {
                if let As(text) = as_what {
                    assert!(registration.unwrap().data.contains(text), "{column}");
                    told.retain(|other| other != text);
                }
            }
        }
        assert!(told.is_empty(), "told and not kept: {told:?}");
    }
}
