//! Utopia: a state that issues passports to people who do not exist.

use std::fs;
use std::path::Path;

use mrtd::specimen::{
    ChipAccess, ChipKeys, ChipOptions, SignatureKind, SpecimenAuthority, SpecimenChip,
    SpecimenHolder, SpecimenPassport, SpecimenSigner, specimen_holder,
};
use mrtd::{
    AccessKey, CalendarDate, Cipher, Curve, File, Period, PersonalDetails, UnixTime, compose_dg11,
};
use rand_core::UnwrapErr;
use server::clock;

const YEAR: u64 = 366 * 86_400;

pub(crate) struct Utopia {
    authority: SpecimenAuthority,
    signer: SpecimenSigner,
    now: UnixTime,
}

impl Utopia {
    /// Makes the state's keys and puts its certificate into the trust folder.
    pub(crate) fn found(trust_folder: &Path) -> Utopia {
        fs::create_dir_all(trust_folder).unwrap();
        let now = UnixTime(clock::now().0);
        let authority = authority(now);
        fs::write(trust_folder.join("utopia.cer"), authority.certificate()).unwrap();
        Utopia::under(authority, now)
    }

    /// A state of the same name whose certificate is in no trust folder.
    pub(crate) fn pretend() -> Utopia {
        let now = UnixTime(clock::now().0);
        Utopia::under(authority(now), now)
    }

    fn under(authority: SpecimenAuthority, now: UnixTime) -> Utopia {
        Utopia {
            signer: signer(&authority, SignatureKind::EcdsaP256, now),
            authority,
            now,
        }
    }

    pub(crate) fn holder(&self, number: u16) -> SpecimenHolder {
        let today = CalendarDate::from_unix(self.now).unwrap();
        specimen_holder(number, today).unwrap()
    }

    pub(crate) fn issue(&self, holder: &SpecimenHolder) -> SpecimenPassport {
        let mut rng = UnwrapErr(getrandom::SysRng);
        self.signer.issue(holder, None, &mut rng).unwrap()
    }

    /// A passport with details of its holder, and its chip, which proves itself by chip
    /// authentication.
    pub(crate) fn issue_with_chip(
        &self,
        holder: &SpecimenHolder,
    ) -> (SpecimenPassport, SpecimenChip) {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let options = ChipOptions {
            access: ChipAccess::Basic,
            active: None,
            agreement: Some((Curve::P256, Cipher::Aes128)),
            ..ChipOptions::default()
        };
        let keys = ChipKeys::generate(&options, &mut rng).unwrap();
        let mut others = vec![(11, compose_dg11(&details()).to_vec())];
        others.extend(keys.groups());
        let issued = self.signer.issue_with(holder, others, None, &mut rng);
        let passport = issued.unwrap();
        let zone: Vec<&str> = passport.printed_zone.iter().map(String::as_str).collect();
        let password = AccessKey::from_printed(&zone).unwrap();
        let files = [(File::Group(1), passport.dg1.clone())];
        let chip = SpecimenChip::new(files, vec![password], keys.into());
        (passport, chip)
    }

    pub(crate) fn passport(&self, number: u16) -> SpecimenPassport {
        self.issue(&self.holder(number))
    }

    /// A passport that is signed with SHA-1, as in earlier years.
    pub(crate) fn weak_passport(&self, number: u16) -> SpecimenPassport {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let signer = signer(&self.authority, SignatureKind::RsaPkcs1Sha1, self.now);
        signer.issue(&self.holder(number), None, &mut rng).unwrap()
    }

    pub(crate) fn expired_passport(&self, number: u16) -> SpecimenPassport {
        let yesterday = CalendarDate::from_unix(UnixTime(self.now.0 - 86_400)).unwrap();
        self.issue(&SpecimenHolder {
            expiry: yesterday,
            ..self.holder(number)
        })
    }
}

fn authority(now: UnixTime) -> SpecimenAuthority {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let validity = Period {
        from: UnixTime(now.0 - YEAR),
        until: UnixTime(now.0 + 15 * YEAR),
    };
    SpecimenAuthority::generate(SignatureKind::EcdsaP256, validity, &mut rng).unwrap()
}

fn signer(authority: &SpecimenAuthority, kind: SignatureKind, now: UnixTime) -> SpecimenSigner {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let in_use = Period {
        from: UnixTime(now.0 - 86_400),
        until: UnixTime(now.0 + 86_400),
    };
    let validity = Period {
        from: UnixTime(now.0 - 86_400),
        until: UnixTime(now.0 + 11 * YEAR),
    };
    authority
        .issue_signer(kind, in_use, validity, &mut rng)
        .unwrap()
}

/// What data group 11 says of every holder; nothing of it is certified.
fn details() -> PersonalDetails {
    PersonalDetails {
        address: vec!["KUMQUAT LANE".to_owned(), "OXBOWVILLE".to_owned()],
        telephone: Some("0551 8372046".to_owned()),
        profession: Some("GLOCKENSPIELER".to_owned()),
        place_of_birth: vec!["WOBBLETHORPE".to_owned()],
        full_name: None,
        other_names: Vec::new(),
        personal_number: None,
        birth_date: None,
        title: None,
        summary: None,
        proof_of_citizenship: None,
        other_documents: Vec::new(),
        custody: None,
    }
}
