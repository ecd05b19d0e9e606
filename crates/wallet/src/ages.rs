//! The one age that a site may ask of this wallet: with another one each time it could search for
//! the date of birth.
//! Source: `docs/specs/sign-in.md`, section "what a wallet checks".

use credential::age::Years;
use credential::origin::Origin;

use crate::vault::Vault;

impl Vault {
    /// The age that the site at `origin` has asked for first, whether it was proved or not.
    #[must_use]
    pub fn age_asked(&self, origin: &Origin) -> Option<Years> {
        let first = self.ages_asked.get(origin.as_str()).copied();
        // Wallets of earlier versions know only what they have proved.
        first.or_else(|| self.site(origin)?.age_over)
    }

    /// Keeps the age that a site asks for, unless it has asked for one before. Returned is whether
    /// it was kept.
    pub fn keep_age_asked(&mut self, origin: &Origin, years: Years) -> bool {
        if self.ages_asked.contains_key(origin.as_str()) {
            return false;
        }
        let first = self.age_asked(origin).unwrap_or(years);
        self.ages_asked.insert(origin.as_str().to_owned(), first);
        true
    }
}

#[cfg(test)]
mod tests {
    use credential::jose::SigningKey;
    use credential::time::Day;

    use super::*;
    use crate::vault::{OperatorTrust, SiteRecord, SiteState};

    fn years(number: u8) -> Years {
        Years::try_from(number).unwrap()
    }

    fn vault() -> Vault {
        Vault::new(OperatorTrust {
            origin: Origin::parse("https://op.example").unwrap(),
            operator_key: *SigningKey::generate().public(),
        })
    }

    #[test]
    fn the_first_age_of_a_site_stays_and_each_site_has_its_own() {
        let mut vault = vault();
        let [shop, other] =
            ["https://shop.example", "https://other.example"].map(|o| Origin::parse(o).unwrap());
        assert_eq!(vault.age_asked(&shop), None);
        assert!(vault.keep_age_asked(&shop, years(18)));
        assert!(!vault.keep_age_asked(&shop, years(17)));
        assert!(vault.keep_age_asked(&other, years(16)));
        let text = serde_json::to_string(&vault).unwrap();
        let vault: Vault = serde_json::from_str(&text).unwrap();
        assert_eq!(vault.age_asked(&shop), Some(years(18)));
        assert_eq!(vault.age_asked(&other), Some(years(16)));
    }

    #[test]
    fn an_age_that_an_earlier_version_proved_counts_as_the_first() {
        let mut vault = vault();
        let origin = Origin::parse("https://shop.example").unwrap();
        vault.sites.push(SiteRecord {
            origin: origin.clone(),
            name: "Shop".into(),
            gateway: Origin::parse("https://gateway.example").unwrap(),
            since: Day(20_000),
            state: SiteState::Joined,
            age_over: Some(years(18)),
        });
        assert_eq!(vault.age_asked(&origin), Some(years(18)));
        assert!(vault.keep_age_asked(&origin, years(17)));
        // Also when the site says later that it was proved nothing.
        vault.set_age_over(&origin, None);
        assert_eq!(vault.age_asked(&origin), Some(years(18)));
    }
}
