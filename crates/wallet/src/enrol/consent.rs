//! What a person is told and agrees to.

use credential::consent::{ChosenEvidence, ConsentReceipt, FaceConsent};
use credential::jose;
use serde::{Deserialize, Serialize};

use super::EnrolError;
use crate::vault::OperatorTrust;

/// What people are told before they agree; the members that a wallet shows.
#[derive(Deserialize)]
pub struct Notice {
    /// Counts the notices.
    pub version: u32,
    /// Who is responsible.
    pub controller: String,
    /// Where to ask and complain.
    pub contact: String,
    /// Each use of data.
    pub processing: Vec<Processing>,
    /// Until when the consent can be taken back.
    pub withdrawal: String,
}

/// One use of data.
#[derive(Deserialize)]
pub struct Processing {
    /// Its name.
    pub id: String,
    /// What data.
    pub data: Vec<String>,
    /// What for.
    pub purpose: String,
    /// For how long.
    pub retention: String,
    /// Who else sees it.
    pub recipients: Vec<String>,
    /// The way for who does not want this.
    pub otherwise: Option<String>,
}

/// Body of `PUT /enrolment/{id}/consent`.
#[derive(Serialize)]
pub struct ConsentRequest {
    notice_sha256: String,
    evidence: ChosenEvidence,
    face: FaceConsent,
}

/// Agrees to the notice, of which `octets` are those that were shown.
#[must_use]
pub fn consent(octets: &[u8], evidence: ChosenEvidence, face: FaceConsent) -> ConsentRequest {
    ConsentRequest {
        notice_sha256: jose::encode(jose::sha256(octets)),
        evidence,
        face,
    }
}

/// Answer to it, beside where the session is.
#[derive(Deserialize)]
pub struct Consented {
    receipt: String,
}

impl Consented {
    /// The receipt, if the operator has signed what was agreed to in this session.
    ///
    /// # Errors
    ///
    /// [`EnrolError::Answer`].
    pub fn receipt(
        self,
        agreed: &ConsentRequest,
        session: &str,
        operator: &OperatorTrust,
    ) -> Result<String, EnrolError> {
        let signed = ConsentReceipt::verify(&self.receipt, &operator.operator_key);
        let receipt = signed.ok_or(EnrolError::Answer)?;
        let same = receipt.iss == operator.origin
            && receipt.session == session
            && receipt.notice_sha256 == agreed.notice_sha256
            && receipt.evidence == agreed.evidence
            && receipt.face == agreed.face;
        if same {
            Ok(self.receipt)
        } else {
            Err(EnrolError::Answer)
        }
    }
}
