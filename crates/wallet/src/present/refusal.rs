//! Why the wallet does not answer a site, and what a person should think of before it does.

use credential::site_entry::SiteEntryError;
use credential::time::UnixTime;
use openid4vc::vp::RequestError;

use crate::vault::DamagedVault;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request itself is malformed, expired or not signed by whom the link names.
    #[error("the request is not valid: {0}")]
    Request(#[from] RequestError),
    /// It carries no site entry.
    #[error("the request carries no site entry, so nobody vouches for the site")]
    NoEntry,
    /// The site entry is not the operator's, or expired.
    #[error("the site's entry is refused: {0}")]
    Entry(#[from] SiteEntryError),
    /// The gateway of the entry did not sign the request, or would not receive the response.
    #[error("the request does not come from the gateway in the site's entry")]
    Gateway,
    /// The account at this site was made through another gateway.
    #[error("the account at this site was made through another gateway")]
    OtherGateway,
    /// It asks for items that the site did not register.
    #[error("the site asks for items it is not registered for: {}", names(.0))]
    Unregistered(Vec<String>),
    /// It wants the certificate where the account would do, and is not registered for that.
    #[error("the site asks for a certificate at every sign-in and is not registered for that")]
    NeedlessCertificate,
    /// It asks for an age that is not the one it is registered for.
    #[error("the site asks for an age that it is not registered for")]
    UnregisteredAge,
    /// It asks for an age on another day than today: with many days it could search for the birth
    /// date.
    #[error("the site asks for an age on {0}, which is not today")]
    AgeDay(String),
    /// It asks once more for an age that it has been shown.
    #[error("the site asks again for an age that you have proved there")]
    AgeAgain,
    /// It asks for another age than before: with many it could search for the birth date.
    #[error("the site has asked you for another age before")]
    OtherAge,
    /// The person is younger than the site asks.
    #[error("the site asks for at least {years} years on {on}, and you are younger")]
    TooYoung {
        /// The years asked for.
        years: u8,
        /// The day, `YYYY-MM-DD`.
        on: String,
    },
    /// It asks in a form that this wallet does not know.
    #[error("the site asks in a form that this wallet does not know")]
    Query,
    /// A certificate is needed, and there is none.
    #[error("this needs a current certificate, and the wallet has none")]
    NoCertificate,
    /// A certificate is needed, and the time of the one that is here is over.
    #[error("this needs a current certificate, and the wallet's is too old")]
    OldCertificate,
    /// A certificate is needed, and the one that is here is of an epoch that has not begun.
    #[error(
        "this needs a current certificate, and by this machine's clock the wallet's is of a week to come"
    )]
    NewCertificate,
    /// A certificate is needed, and the one that is here is not shown yet.
    #[error(
        "this needs a certificate, and yours was renewed so lately that site and operator could compare the times"
    )]
    Waiting(UnixTime),
    /// The certificate is of another issuer key than everybody's, so it would mark its holder.
    #[error("the certificate is not of the issuer key that the operator publishes")]
    IssuerKey,
    /// The vault is damaged.
    #[error(transparent)]
    Vault(#[from] DamagedVault),
    /// The response could not be made.
    #[error("the response could not be made")]
    Response,
}

impl Refusal {
    /// The stable id of this refusal.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Refusal::Request(RequestError::Expired) => "request-expired",
            Refusal::Request(_) => "request-invalid",
            Refusal::NoEntry => "site-entry-missing",
            Refusal::Entry(SiteEntryError::Expired) => "site-entry-expired",
            Refusal::Entry(_) => "site-entry-invalid",
            Refusal::Gateway => "gateway-mismatch",
            Refusal::OtherGateway => "gateway-changed",
            Refusal::Unregistered(_) => "items-not-registered",
            Refusal::NeedlessCertificate => "certificate-not-registered",
            Refusal::UnregisteredAge => "age-not-registered",
            Refusal::AgeDay(_) => "age-day-wrong",
            Refusal::AgeAgain => "age-proved-already",
            Refusal::OtherAge => "age-changed",
            Refusal::TooYoung { .. } => "age-not-reached",
            Refusal::Query => "query-unsupported",
            Refusal::NoCertificate | Refusal::OldCertificate => "certificate-missing",
            Refusal::NewCertificate => "certificate-too-new",
            Refusal::Waiting(_) => "certificate-waiting",
            Refusal::IssuerKey => "issuer-key-changed",
            Refusal::Vault(_) => "vault-damaged",
            Refusal::Response => "response-failed",
        }
    }
}

fn names(items: &[String]) -> String {
    items.join(", ")
}

/// Why a person should think twice before the certificate is shown now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// The operator has just seen a renewal: until then, site and operator could compare the times.
    RenewedLately(UnixTime),
    /// The certificate is of the last epoch, and by now most people show one of this epoch. An
    /// operator that does not renew one person makes that person stand out so.
    LastEpoch,
}

impl Caution {
    /// The stable id of what the person has to agree to.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Caution::RenewedLately(_) => "renewed-lately",
            Caution::LastEpoch => "certificate-of-last-week",
        }
    }
}
