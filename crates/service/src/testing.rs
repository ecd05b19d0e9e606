//! What the tests of this crate share: stores, trustees and officers in one process, and a state
//! that issues specimen passports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::time::UnixTime;
use mrtd::specimen::{
    SignatureKind, SpecimenAuthority, SpecimenHolder, SpecimenPassport, SpecimenSigner,
    specimen_holder,
};
use mrtd::{CalendarDate, Period, TrustStore};
use oprf::ShareIndex;
use store::RateLimit;
use store::sqlite::{SqliteRegister, SqliteSessions, SqliteTrustee};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::enrolment::{
    DocumentUpload, EnrolmentPolicy, EnrolmentSetup, Enrolments, FaceCheck, Notice, NoticeScope,
};
use crate::officer::{OfficerId, Officers};
use crate::secret;
use crate::tags::{Quorum, TagKey, TrusteeClient, TrusteeFailure};
use crate::trustee::{EvaluationRequest, EvaluationResponse, Trustee, TrusteeError};

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const SESSION_SECS: u64 = 900;
const YEAR: u64 = 366 * 86_400;

/// A trustee in the same process, which can be switched off.
pub(crate) struct LocalTrustee {
    index: ShareIndex,
    trustee: Trustee,
    off: AtomicBool,
}

impl LocalTrustee {
    pub(crate) fn switch_off(&self) {
        self.off.store(true, Ordering::Relaxed);
    }

    pub(crate) fn switch_on(&self) {
        self.off.store(false, Ordering::Relaxed);
    }
}

#[async_trait]
impl TrusteeClient for LocalTrustee {
    fn index(&self) -> ShareIndex {
        self.index
    }

    async fn evaluate(
        &self,
        request: &EvaluationRequest,
    ) -> Result<EvaluationResponse, TrusteeFailure> {
        if self.off.load(Ordering::Relaxed) {
            return Err(TrusteeFailure::Unreachable);
        }
        let answer = self.trustee.evaluate(request, NOW).await;
        answer.map_err(|error: TrusteeError| TrusteeFailure::Refused(error.to_string()))
    }
}

/// A group of trustees in one process.
pub(crate) struct Group {
    pub(crate) folder: TempDir,
    pub(crate) group: oprf::GroupKey,
    pub(crate) trustees: Vec<Arc<LocalTrustee>>,
    pub(crate) attester_key: Arc<SigningKey>,
}

impl Group {
    pub(crate) async fn of(threshold: u8, count: u8) -> Group {
        let folder = tempfile::tempdir().unwrap();
        let attester_key = Arc::new(SigningKey::generate());
        let (shares, group) = oprf::deal(threshold, count, &mut secret::rng()).unwrap();
        let mut trustees = Vec::new();
        for share in shares {
            let index = share.index();
            let path = folder.path().join(format!("{index}.sqlite"));
            let store = Arc::new(SqliteTrustee::open(&path).await.unwrap());
            let attester = ("enrolment".to_owned(), *attester_key.public());
            let limit = RateLimit {
                evaluations: 1000,
                seconds: 60,
            };
            let trustee = Trustee::new(share, group.clone(), attester, limit, store).unwrap();
            trustees.push(Arc::new(LocalTrustee {
                index,
                trustee,
                off: AtomicBool::new(false),
            }));
        }
        Group {
            folder,
            group,
            trustees,
            attester_key,
        }
    }

    pub(crate) fn clients(&self) -> Vec<Arc<dyn TrusteeClient>> {
        self.trustees
            .iter()
            .map(|t| Arc::clone(t) as Arc<dyn TrusteeClient>)
            .collect()
    }

    pub(crate) fn quorum(&self, clients: Vec<Arc<dyn TrusteeClient>>) -> Quorum {
        let attester = ("enrolment".to_owned(), Arc::clone(&self.attester_key));
        let tag_key = TagKey::from_bytes(&[7; 32]).unwrap();
        Quorum::new(self.group.clone(), clients, attester, tag_key).unwrap()
    }
}

/// An enrolment service with everything around it.
pub(crate) struct World {
    pub(crate) group: Group,
    pub(crate) register: Arc<SqliteRegister>,
    pub(crate) enrolments: Arc<Enrolments>,
    pub(crate) officers: Officers,
    pub(crate) officer_key: SigningKey,
    pub(crate) origin: Origin,
    pub(crate) signer: SpecimenSigner,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with_sessions(100).await
    }

    pub(crate) async fn with_sessions(sessions_max: usize) -> World {
        World::with(sessions_max, None).await
    }

    pub(crate) async fn comparing_faces(check: FaceCheck) -> World {
        World::with(100, Some(check)).await
    }

    async fn with(sessions_max: usize, face: Option<FaceCheck>) -> World {
        let group = Group::of(2, 3).await;
        let register = group.folder.path().join("register.sqlite");
        let register = Arc::new(SqliteRegister::open(&register).await.unwrap());
        let sessions = group.folder.path().join("sessions.sqlite");
        let sessions = Arc::new(SqliteSessions::open(&sessions).await.unwrap());
        let origin = Origin::parse("https://operator.example").unwrap();
        let (authority, signer) = found_state();
        let setup = EnrolmentSetup {
            origin: origin.clone(),
            policy: EnrolmentPolicy {
                session_secs: SESSION_SECS,
                sessions_max,
            },
            trust: TrustStore::from_der([authority.certificate()])
                .ok()
                .unwrap(),
            quorum: group.quorum(group.clients()),
            notice: Notice::new(
                "The operator",
                "https://operator.example",
                NoticeScope {
                    resident_numbers: true,
                    faces: face.is_some(),
                },
            ),
            face,
            authority: None,
        };
        let enrolments = Arc::new(Enrolments::new(setup, register.clone(), sessions.clone()));
        let officer_key = SigningKey::generate();
        let officers = BTreeMap::from([(desk(), *officer_key.public())]);
        let officers = Officers::new(officers, origin.clone(), sessions.clone());
        World {
            group,
            register,
            enrolments,
            officers,
            officer_key,
            origin,
            signer,
        }
    }

    pub(crate) fn passport(&self, holder: &SpecimenHolder) -> SpecimenPassport {
        self.signer.issue(holder, None, &mut secret::rng()).unwrap()
    }
}

pub(crate) fn desk() -> OfficerId {
    OfficerId("desk-1".to_owned())
}

pub(crate) fn holder(number: u16) -> SpecimenHolder {
    specimen_holder(
        number,
        CalendarDate::from_unix(mrtd::UnixTime(NOW.0)).unwrap(),
    )
    .unwrap()
}

pub(crate) fn upload(passport: &SpecimenPassport) -> DocumentUpload {
    DocumentUpload {
        others: Vec::new(),
        dg1: Zeroizing::new(passport.dg1.clone()),
        dg2: Zeroizing::new(passport.dg2.clone()),
        sod: Zeroizing::new(passport.sod.clone()),
    }
}

fn found_state() -> (SpecimenAuthority, SpecimenSigner) {
    let mut rng = secret::rng();
    let time = |secs: u64| mrtd::UnixTime(secs);
    let period = |from, until| Period {
        from: time(from),
        until: time(until),
    };
    let kind = SignatureKind::EcdsaP256;
    let validity = period(NOW.0 - YEAR, NOW.0 + 15 * YEAR);
    let authority = SpecimenAuthority::generate(kind, validity, &mut rng).unwrap();
    let in_use = period(NOW.0 - 86_400, NOW.0 + 86_400);
    let validity = period(NOW.0 - 86_400, NOW.0 + 11 * YEAR);
    let signer = authority
        .issue_signer(kind, in_use, validity, &mut rng)
        .unwrap();
    (authority, signer)
}
