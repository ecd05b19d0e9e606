//! The wallet's side of a sign-in: it checks the request, says what it asks, and answers. No I/O.

use credential::age::AgeAsked;
use credential::attributes::{Item, ItemSet};
use credential::jose::{self, SigningKey};
use credential::origin::{Origin, SiteContext};
use credential::presentation::{Moment, RequestBinding, Wanted, create_sign_in, create_sign_up};
use credential::site_entry::SiteEntry;
use credential::time::UnixTime;
use getrandom::SysRng;
use openid4vc::oauth::ErrorCode;
use openid4vc::vp::dcql::{CredentialQuery, QueryId};
use openid4vc::vp::sign_in::{
    ACCOUNT_FORMAT, CERTIFICATE_FORMAT, CERTIFICATE_TYPE, SITE_ENTRY_FORMAT, age_asked,
};
use openid4vc::vp::{
    AuthorizationResponse, ErrorResponse, RequestLink, RequestObject, UnverifiedRequest,
    VerifiedRequest, VpToken,
};
use rand_core::UnwrapErr;
use url::Url;

pub use refusal::{Caution, Refusal};

use crate::certificates::Apart;
use crate::device::DeviceKeys;
use crate::vault::{OperatorTrust, SiteState, StoredCertificate, Vault};

mod refusal;

/// A request that this wallet may answer.
pub struct Request {
    verified: VerifiedRequest,
    client_id: String,
    entry: SiteEntry,
    context: SiteContext,
    asked: Asked,
}

/// The credential queries that this wallet knows.
struct Asked {
    account: Option<QueryId>,
    certificate: Option<QueryId>,
    with_age: Option<(QueryId, AgeAsked)>,
    /// The same for both of the certificate.
    items: ItemSet,
}

/// What answering would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Signs in to the account that this device has.
    SignIn,
    /// Signs up, brings this device to an account that exists, or proves an age for it.
    SignUp {
        /// The age that is proved.
        age: Option<AgeAsked>,
    },
}

impl Request {
    /// Checks a fetched request object against the link that named it and the pinned operator.
    ///
    /// # Errors
    ///
    /// Any [`Refusal`] of what the site asks.
    pub fn read(
        compact: &str,
        link: &RequestLink,
        operator: &OperatorTrust,
        now: UnixTime,
    ) -> Result<Request, Refusal> {
        let verified = UnverifiedRequest::parse(compact)?.verify(link.client_id, now)?;
        let object = verified.request();
        let entry = object
            .attestation(SITE_ENTRY_FORMAT)
            .and_then(|data| data.as_str());
        let entry = entry.ok_or(Refusal::NoEntry)?;
        let entry = SiteEntry::verify(entry, &operator.origin, &operator.operator_key, now)?;
        let signed_by_gateway = entry.gateway.x509_hash == jose::encode(link.client_id.hash());
        let at_gateway = |uri: &str| {
            Url::parse(uri)
                .ok()
                .and_then(|url| Origin::of_url(&url).ok())
                == Some(entry.gateway.origin.clone())
        };
        if !signed_by_gateway
            || !at_gateway(link.request_uri.as_str())
            || !at_gateway(object.response_uri.as_str())
        {
            return Err(Refusal::Gateway);
        }
        let asked = Asked::read(object, &entry, now)?;
        let context = entry.context();
        let client_id = link.client_id.to_string();
        Ok(Request {
            client_id,
            context,
            asked,
            entry,
            verified,
        })
    }

    /// The entry of the site that asks.
    #[must_use]
    pub fn entry(&self) -> &SiteEntry {
        &self.entry
    }

    /// The items that a sign-up would disclose.
    #[must_use]
    pub fn items(&self) -> &ItemSet {
        &self.asked.items
    }

    /// Where the response is posted.
    #[must_use]
    pub fn response_uri(&self) -> &str {
        self.verified.request().response_uri.as_str()
    }

    /// The age that the site asks for, whether this wallet has proved it or not.
    #[must_use]
    pub fn age(&self) -> Option<AgeAsked> {
        self.asked.with_age.as_ref().map(|(_, age)| *age)
    }

    /// What this wallet would answer, whether or not it can: nothing here depends on the person
    /// and the certificate, but on the site and what it has been answered before.
    ///
    /// # Errors
    ///
    /// [`Refusal::OtherGateway`]; [`Refusal::OtherAge`]; [`Refusal::NeedlessCertificate`];
    /// [`Refusal::AgeAgain`]; [`Refusal::Query`] when the request accepts nothing else.
    pub fn choose(&self, vault: &Vault, keys: &DeviceKeys) -> Result<Answer, Refusal> {
        let origin = &self.entry.site.origin;
        let record = vault.site(origin);
        if record.is_some_and(|site| site.gateway != self.entry.gateway.origin) {
            return Err(Refusal::OtherGateway);
        }
        let proved = record.and_then(|site| site.age_over);
        let age = self.age();
        let first = vault.age_asked(origin);
        if age.is_some_and(|age| first.is_some_and(|first| first != age.years)) {
            return Err(Refusal::OtherAge);
        }
        if let Some(age) = age.filter(|age| proved < Some(age.years)) {
            return Ok(Answer::SignUp { age: Some(age) });
        }
        let joined = record.is_some_and(|site| site.state == SiteState::Joined);
        let has_key = keys.site(origin)?.is_some();
        if joined && has_key {
            if self.asked.account.is_some() {
                return Ok(Answer::SignIn);
            }
            if !self.entry.requires_certificate {
                return Err(Refusal::NeedlessCertificate);
            }
        }
        match (&self.asked.certificate, age) {
            (Some(_), _) => Ok(Answer::SignUp { age: None }),
            (None, Some(_)) => Err(Refusal::AgeAgain),
            (None, None) => Err(Refusal::Query),
        }
    }

    /// Whether the person can give `answer`, and what to think of before. Where it cannot be given
    /// the site is told the same as when the person declines, or nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoCertificate`], [`Refusal::OldCertificate`], [`Refusal::NewCertificate`],
    /// [`Refusal::Waiting`], [`Refusal::IssuerKey`] or [`Refusal::TooYoung`].
    pub fn check(
        &self,
        vault: &Vault,
        keys: &DeviceKeys,
        answer: Answer,
        now: UnixTime,
    ) -> Result<Vec<Caution>, Refusal> {
        let Answer::SignUp { age } = answer else {
            return Ok(Vec::new());
        };
        let stored = presentable(vault, keys, now)?;
        if let Some(age) = age {
            old_enough(age, stored)?;
        }
        let apart = keys.apart(now);
        let mut cautions = Vec::new();
        cautions.extend(apart.map(|Apart(until)| Caution::RenewedLately(until)));
        cautions.extend(stored.stands_out(now).then_some(Caution::LastEpoch));
        Ok(cautions)
    }

    /// The encrypted response of a sign-in with this device's key at the site.
    ///
    /// # Errors
    ///
    /// [`Refusal::Vault`] or [`Refusal::Response`].
    pub fn sign_in(&self, vault: &Vault, device: &SigningKey) -> Result<String, Refusal> {
        let person = vault.person.as_ref().ok_or(Refusal::NoCertificate)?;
        let secrets = person.nym_secrets()?;
        let presentation = create_sign_in(
            &secrets,
            &self.context,
            &self.binding(),
            (device, Moment::Possession),
            &mut UnwrapErr(SysRng),
        )
        .map_err(|_| Refusal::Response)?;
        self.respond(self.asked.account.as_ref(), presentation)
    }

    /// The encrypted response of a sign-up that brings this device's key to the site and proves
    /// `age`, as [`Request::choose`] said.
    ///
    /// # Errors
    ///
    /// As [`Request::check`] but for the age; [`Refusal::Vault`] or [`Refusal::Response`].
    pub fn sign_up(
        &self,
        vault: &Vault,
        keys: (&DeviceKeys, &SigningKey),
        age: Option<AgeAsked>,
        now: UnixTime,
    ) -> Result<String, Refusal> {
        let (keys, device) = keys;
        let items = &self.asked.items;
        let person = vault.person.as_ref().ok_or(Refusal::NoCertificate)?;
        let stored = presentable(vault, keys, now)?;
        let (slots, certificate) = stored.open(person)?;
        let secrets = person.nym_secrets()?;
        let presentation = create_sign_up(
            &certificate,
            (&slots, stored.epoch()),
            (&self.context, &secrets),
            (&self.binding(), &Wanted { items, age }),
            (device, Moment::Possession),
            &mut UnwrapErr(SysRng),
        )
        .map_err(|_| Refusal::Response)?;
        let query = match age {
            Some(_) => self.asked.with_age.as_ref().map(|(query, _)| query),
            None => self.asked.certificate.as_ref(),
        };
        self.respond(query, presentation)
    }

    /// The encrypted response of a person who declines.
    ///
    /// # Errors
    ///
    /// [`Refusal::Response`].
    pub fn decline(&self) -> Result<String, Refusal> {
        let object = self.verified.request();
        let refusal = AuthorizationResponse::Refused(ErrorResponse {
            error: ErrorCode::AccessDenied,
            error_description: None,
            state: object.state.clone(),
        });
        refusal
            .encrypt(&object.client_metadata)
            .map_err(|_| Refusal::Response)
    }

    fn binding(&self) -> RequestBinding<'_> {
        let object = self.verified.request();
        RequestBinding {
            nonce: object.nonce.as_str(),
            client_id: &self.client_id,
            response_uri: object.response_uri.as_str(),
            request_sha256: self.verified.sha256(),
        }
    }

    fn respond(&self, query: Option<&QueryId>, presentation: String) -> Result<String, Refusal> {
        let object = self.verified.request();
        let response = AuthorizationResponse::Presented {
            vp_token: VpToken::of(query.ok_or(Refusal::Query)?.clone(), presentation),
            state: object.state.clone(),
        };
        response
            .encrypt(&object.client_metadata)
            .map_err(|_| Refusal::Response)
    }
}

/// The certificate that can be shown at `now`.
fn presentable<'a>(
    vault: &Vault,
    keys: &'a DeviceKeys,
    now: UnixTime,
) -> Result<&'a StoredCertificate, Refusal> {
    let stored = keys.usable(now).ok_or_else(|| unusable(keys, now))?;
    if !stored.is_of(&vault.issuer_keys) {
        return Err(Refusal::IssuerKey);
    }
    Ok(stored)
}

/// Why there is no certificate to show at `now`.
fn unusable(keys: &DeviceKeys, now: UnixTime) -> Refusal {
    let Some(stored) = keys.certificate(now) else {
        return Refusal::NoCertificate;
    };
    match keys.waiting(now) {
        _ if now.epoch() < stored.epoch() => Refusal::NewCertificate,
        Some(next) => Refusal::Waiting(next.not_before()),
        None => Refusal::OldCertificate,
    }
}

impl Asked {
    /// The first query of each kind; others are never answered.
    fn read(object: &RequestObject, entry: &SiteEntry, now: UnixTime) -> Result<Asked, Refusal> {
        let mut asked = Asked {
            account: None,
            certificate: None,
            with_age: None,
            items: ItemSet::new([]),
        };
        let mut sets = Vec::new();
        for query in object.dcql_query.credentials() {
            let id = || query.id.clone();
            if query.format == ACCOUNT_FORMAT {
                asked.account.get_or_insert_with(id);
            }
            if query.format != CERTIFICATE_FORMAT {
                continue;
            }
            sets.push(read_certificate(query, entry)?);
            match age_asked(query).map_err(|_| Refusal::Query)? {
                Some(age) => {
                    registered(age, entry, now)?;
                    asked.with_age.get_or_insert_with(|| (id(), age));
                }
                None => drop(asked.certificate.get_or_insert_with(id)),
            }
        }
        // What is disclosed must not depend on which of them is answered.
        if sets.iter().zip(sets.iter().skip(1)).any(|(a, b)| a != b) {
            return Err(Refusal::Query);
        }
        if let Some(items) = sets.pop() {
            asked.items = items;
        }
        Ok(asked)
    }
}

/// The items of a query for the certificate.
fn read_certificate(query: &CredentialQuery, entry: &SiteEntry) -> Result<ItemSet, Refusal> {
    let types = query
        .meta
        .get("vct_values")
        .and_then(|values| values.as_array());
    let knows = types.is_some_and(|types| types.iter().any(|t| t == CERTIFICATE_TYPE));
    if !knows {
        return Err(Refusal::Query);
    }
    read_items(query, entry)
}

/// Whether the site may ask for this age: one number, and the day that it is for everybody. Clocks
/// and time zones may differ by a day.
fn registered(age: AgeAsked, entry: &SiteEntry, now: UnixTime) -> Result<(), Refusal> {
    if entry.age_over != Some(age.years) {
        return Err(Refusal::UnregisteredAge);
    }
    if age.on.0.abs_diff(now.day().0) > 1 {
        return Err(Refusal::AgeDay(age.on_iso()));
    }
    Ok(())
}

/// Whether the proof can be made.
fn old_enough(age: AgeAsked, certificate: &StoredCertificate) -> Result<(), Refusal> {
    // Nobody has an age that begins before the first day of birth there can be.
    match age.is_reached_by(certificate.attributes().birthdate) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Refusal::TooYoung {
            years: age.years.number(),
            on: age.on_iso(),
        }),
    }
}

fn read_items(query: &CredentialQuery, entry: &SiteEntry) -> Result<ItemSet, Refusal> {
    let mut items = Vec::new();
    let mut unregistered = Vec::new();
    for claim in query.claims.iter().flatten() {
        let name = claim.path.top_level().ok_or(Refusal::Query)?;
        match Item::parse(name).filter(|item| entry.allows(*item)) {
            Some(item) => items.push(item),
            None => unregistered.push(name.to_owned()),
        }
    }
    if unregistered.is_empty() {
        Ok(ItemSet::new(items))
    } else {
        Err(Refusal::Unregistered(unregistered))
    }
}
