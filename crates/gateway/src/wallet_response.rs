//! Answers of wallets: opened, verified, and turned into an account.

mod opened;

use crate::account::{Account, Device, DeviceKey, IndexLookup};
use crate::authentication::{Authentication, Moment, Transport};
use crate::bearer::{BearerHash, BearerKind};
use crate::gateway::{Gateway, rng};
use crate::ids::{LoginId, Subject};
use crate::login::{Login, LoginState, Waiting};
use crate::page::Loaded;
use crate::store::{AccountChange, LoginStep, StoreError, Version};
use credential::age::{AgeAsked, Years};
use credential::attributes::Generation;
use credential::jose::sha256;
use credential::origin::SiteContext;
use credential::presentation::{
    self, PresentationError, RequestBinding, SignIn, SignUp, Wanted, verify_sign_in, verify_sign_up,
};
use credential::time::UnixTime;
use opened::{Opened, open};
use openid4vc::Secret;
use openid4vc::form::compose;

/// What the wallet is told after an answer that was taken.
#[derive(Debug)]
pub struct Received {
    /// Where the wallet leads the person's browser, if anywhere.
    pub redirect_uri: Option<String>,
}

/// Why an answer is not taken. The log-in goes on waiting.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// No such log-in, or forgotten since.
    #[error("request is not known")]
    Unknown,
    /// Too late.
    #[error("request has expired")]
    Expired,
    /// A wallet has answered already.
    #[error("request was answered already")]
    Answered,
    /// The form is not `response=<JWE>`, or what is in it is not an answer.
    #[error("answer is malformed")]
    Malformed,
    /// It is not encrypted to this request's key.
    #[error("answer does not decrypt")]
    Decryption,
    /// `state` is another one.
    #[error("answer belongs to another request")]
    WrongState,
    /// The presentation answers another request: nonce, client, address or request differ.
    #[error("presentation answers another request")]
    OtherRequest,
    /// Other items are disclosed than were asked for.
    #[error("presentation discloses other items than requested")]
    OtherItems,
    /// An age is proved unasked, or none where one was asked for.
    #[error("presentation proves an age unasked, or not the one requested")]
    OtherAge,
    /// Form, proof or signature do not hold.
    #[error("presentation is not valid")]
    Invalid,
    /// There is no account of this person here.
    #[error("no account of this person")]
    UnknownAccount,
    /// The account does not know this device, or no longer.
    #[error("account does not know this device")]
    UnknownDevice,
    /// A current certificate was asked for and an account was shown.
    #[error("this site asks for a certificate")]
    CertificateRequired,
    /// The site asks for an age, and none that would do was proved for this account.
    #[error("this site asks for an age that the account has not proved")]
    AgeRequired,
    /// This gateway has no manifest that covers today.
    #[error("certificates cannot be checked at the moment")]
    NoManifest,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Takes a wallet's answer, the body of a `direct_post.jwt`.
    ///
    /// Source: OpenID4VP 1.0 section 8.
    ///
    /// # Errors
    ///
    /// [`RespondError`]; the log-in is as before.
    pub async fn respond(
        &self,
        id: LoginId,
        transport: Transport,
        body: &str,
        now: UnixTime,
    ) -> Result<Received, RespondError> {
        let Loaded { version, login } = self.load_login(id).await?.ok_or(RespondError::Unknown)?;
        if login.has_expired(now) {
            return Err(RespondError::Expired);
        }
        let LoginState::Waiting(waiting) = login.state else {
            return Err(RespondError::Answered);
        };
        let login = Login {
            state: LoginState::Finished,
            ..login
        };
        let read = Read {
            id,
            version,
            transport,
            login,
            waiting: *waiting,
        };
        match open(read.waiting.request(transport), body)? {
            Opened::Refused => self.refuse(read).await,
            Opened::Account(text) => {
                if self.site.entry.requires_certificate {
                    return Err(RespondError::CertificateRequired);
                }
                let shown = self.check(&read, |context, binding| {
                    verify_sign_in(&text, context, binding)
                })?;
                self.sign_in(read, &shown, now).await
            }
            Opened::Certificate(text) => self.certificate(read, &text, None, now).await,
            Opened::CertificateWithAge(text) => {
                let age = read.waiting.age.ok_or(RespondError::Malformed)?;
                self.certificate(read, &text, Some(age), now).await
            }
        }
    }

    /// Takes a certificate that has to prove exactly `age`, from this log-in's own request.
    async fn certificate(
        &self,
        read: Read,
        text: &str,
        age: Option<AgeAsked>,
        now: UnixTime,
    ) -> Result<Received, RespondError> {
        let keys = self
            .issuer_keys(now.epoch())
            .ok_or(RespondError::NoManifest)?;
        let items = &self.site.items;
        let shown = self.check(&read, |context, binding| {
            let issuer = (&keys, now);
            verify_sign_up(text, issuer, context, binding, &Wanted { items, age })
        })?;
        let proved = age.map(|age| age.years);
        self.sign_up(read, &shown, proved, now).await
    }

    fn check<T>(
        &self,
        read: &Read,
        verify: impl FnOnce(&SiteContext, &RequestBinding<'_>) -> Result<T, PresentationError>,
    ) -> Result<T, RespondError> {
        let request = read.waiting.request(read.transport);
        let response_uri = self.response_uri(read.id, read.transport);
        let binding = RequestBinding {
            nonce: request.nonce.as_str(),
            client_id: &self.site.client_id,
            response_uri: response_uri.as_str(),
            request_sha256: sha256(request.object.as_bytes()),
        };
        verify(&self.site.context, &binding).map_err(|error| match error {
            PresentationError::Binding => RespondError::OtherRequest,
            PresentationError::Items => RespondError::OtherItems,
            PresentationError::Age => RespondError::OtherAge,
            PresentationError::Invalid => RespondError::Invalid,
        })
    }

    async fn refuse(&self, read: Read) -> Result<Received, RespondError> {
        let redirect_uri = self.page_after(&read, None);
        let state = LoginState::Refused(read.waiting.refuse(read.transport));
        let next = Login {
            state,
            ..read.login
        }
        .to_stored();
        let step = LoginStep {
            id: read.id,
            read: read.version,
            next,
        };
        self.store.replace_login(&step).await.map_err(answered)?;
        Ok(Received { redirect_uri })
    }

    async fn sign_in(
        &self,
        read: Read,
        shown: &SignIn,
        now: UnixTime,
    ) -> Result<Received, RespondError> {
        let lookup = self.site_keys.lookup(&shown.pseudonym.to_bytes());
        let account = self.store.find_account(&lookup).await?;
        let account = account.ok_or(RespondError::UnknownAccount)?;
        if !account.has_device(&DeviceKey(shown.device_key.sec1())) {
            return Err(RespondError::UnknownDevice);
        }
        if !self.may_open(&read.login.errand, account.age_over) {
            return Err(RespondError::AgeRequired);
        }
        let person = Authentication {
            subject: account.subject,
            time: now,
            moment: shown.moment.into(),
            transport: read.transport,
            generation: account.generation,
            age_over: account.age_over,
            items: Vec::new(),
        };
        let change = AccountChange::Keep {
            subject: account.subject,
            index: lookup.current,
            age_over: None,
        };
        self.approve(read, person, &change).await
    }

    async fn sign_up(
        &self,
        read: Read,
        shown: &SignUp,
        proved: Option<Years>,
        now: UnixTime,
    ) -> Result<Received, RespondError> {
        let lookup = self.site_keys.lookup(&shown.pseudonym.to_bytes());
        let known = self.store.find_account(&lookup).await?;
        let age_over = known.as_ref().and_then(|known| known.age_over).max(proved);
        // No account is made without the age, whatever the log-in is for.
        let errand = known.as_ref().map(|_| &read.login.errand);
        let admits = match errand {
            Some(errand) => self.may_open(errand, age_over),
            None => self.is_old_enough(age_over),
        };
        if !admits {
            return Err(RespondError::AgeRequired);
        }
        let (subject, change) = admitted(known, &lookup, (shown, proved), now);
        let items = shown.items.iter();
        let items = items.map(|(item, text)| (item.as_str().to_owned(), text.to_string()));
        let person = Authentication {
            subject,
            time: now,
            moment: shown.moment.into(),
            transport: read.transport,
            generation: generation(shown.generation),
            age_over,
            items: items.collect(),
        };
        self.approve(read, person, &change).await
    }

    async fn approve(
        &self,
        read: Read,
        person: Authentication,
        change: &AccountChange,
    ) -> Result<Received, RespondError> {
        let code = Secret::draw(&mut rng());
        let redirect_uri = self.page_after(&read, Some(&code));
        let hash = BearerHash::of_secret(BearerKind::ResponseCode, &code);
        let state = LoginState::Approved(read.waiting.approve(person, hash));
        let next = Login {
            state,
            ..read.login
        }
        .to_stored();
        let step = LoginStep {
            id: read.id,
            read: read.version,
            next,
        };
        self.store.admit(&step, change).await.map_err(answered)?;
        Ok(Received { redirect_uri })
    }

    /// Where a wallet on the same device leads the browser.
    fn page_after(&self, read: &Read, code: Option<&Secret>) -> Option<String> {
        let page = format!("{}/login/{}", self.issuer(), read.id);
        match (read.transport, code) {
            (Transport::Qr, _) => None,
            (Transport::Link, None) => Some(page),
            (Transport::Link, Some(code)) => {
                let query = compose([("response_code", code.expose())]);
                Some(format!("{page}/return?{query}"))
            }
        }
    }
}

/// The log-in an answer belongs to, as it was read.
struct Read {
    id: LoginId,
    version: Version,
    transport: Transport,
    /// Everything but the state, which stands apart in `waiting`.
    login: Login,
    waiting: Waiting,
}

/// What a certificate does here: a new account, a new device, or nothing new.
fn admitted(
    known: Option<Account>,
    lookup: &IndexLookup,
    (shown, age_over): (&SignUp, Option<Years>),
    now: UnixTime,
) -> (Subject, AccountChange) {
    let (key, today) = (DeviceKey(shown.device_key.sec1()), now.day());
    let index = lookup.current;
    match known {
        Some(account) if account.has_device(&key) => (
            account.subject,
            AccountChange::Keep {
                subject: account.subject,
                index,
                age_over,
            },
        ),
        Some(account) => {
            let subject = account.subject;
            (
                subject,
                AccountChange::AddDevice {
                    subject,
                    key,
                    added: today,
                    index,
                    age_over,
                },
            )
        }
        None => {
            let subject = Subject::draw(&mut rng());
            let account = Account {
                subject,
                index,
                generation: generation(shown.generation),
                created: today,
                age_over,
                devices: vec![Device { key, added: today }],
            };
            (subject, AccountChange::Create(account))
        }
    }
}

fn generation(generation: Generation) -> u8 {
    match generation {
        Generation::First => 1,
        Generation::Later => 2,
    }
}

/// A log-in that moved in the meantime was answered by somebody else.
fn answered(error: StoreError) -> RespondError {
    match error {
        StoreError::Stale => RespondError::Answered,
        StoreError::Malformed | StoreError::Backend(_) => RespondError::Store(error),
    }
}

impl From<presentation::Moment> for Moment {
    fn from(moment: presentation::Moment) -> Moment {
        match moment {
            presentation::Moment::Possession => Moment::Possession,
            presentation::Moment::Unlock => Moment::Unlock,
        }
    }
}
