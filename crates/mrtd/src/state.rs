//! States as travel documents and certificates name them: three letters in the machine-readable
//! zone, two in a certificate.

use core::fmt;

use thiserror::Error;

/// An issuing state, organisation or nationality of a machine-readable zone: one to three
/// capital letters.
///
/// Source: ICAO Doc 9303-3, 8th edition, §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateCode([u8; 3]);

impl StateCode {
    /// Utopia, the state that issues specimens and nothing else.
    pub const UTOPIA: StateCode = StateCode(*b"UTO");

    /// China.
    pub const CHINA: StateCode = StateCode(*b"CHN");

    /// Reads three characters of a machine-readable zone, fillers (`<`) at the end only.
    ///
    /// # Errors
    ///
    /// [`NotAState`] for anything but letters followed by fillers.
    pub fn from_mrz(field: [u8; 3]) -> Result<StateCode, NotAState> {
        let mut letters = 0_usize;
        for (place, byte) in field.iter().enumerate() {
            match byte {
                b'A'..=b'Z' if letters == place => letters += 1,
                b'<' => {}
                _ => return Err(NotAState),
            }
        }
        if letters == 0 {
            Err(NotAState)
        } else {
            Ok(StateCode(field))
        }
    }

    /// The field as it stands in the zone, padded with `<`.
    #[must_use]
    pub fn to_mrz(self) -> [u8; 3] {
        self.0
    }

    /// Three letters without fillers: `D` of German documents becomes `DEU`; the few codes of
    /// other length, of which none is assigned today, come back padded with `<`.
    #[must_use]
    pub fn alpha3(&self) -> &str {
        if self.0 == GERMANY {
            return "DEU";
        }
        // Letters and fillers by construction, so always valid UTF-8.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The two-letter code that certificates of this issuer carry; `None` where none is known
    /// (stateless persons and refugees, for instance, are nationalities and no issuers).
    #[must_use]
    pub fn country(&self) -> Option<CountryCode> {
        let wanted = self.alpha3();
        let code = SPECIMEN_STATE
            .split_whitespace()
            .chain(ICAO_CODES.split_whitespace())
            .chain(ISO_3166.split_whitespace())
            .find_map(|entry| entry.strip_prefix(wanted).filter(|rest| rest.len() == 2))?;
        CountryCode::parse(code).ok()
    }
}

impl fmt::Display for StateCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.alpha3())
    }
}

impl core::str::FromStr for StateCode {
    type Err = NotAState;

    /// One to three capital letters.
    fn from_str(letters: &str) -> Result<StateCode, NotAState> {
        let mut field = *b"<<<";
        if letters.len() > field.len() || letters.contains('<') {
            return Err(NotAState);
        }
        for (to, from) in field.iter_mut().zip(letters.bytes()) {
            *to = from;
        }
        StateCode::from_mrz(field)
    }
}

/// A field is no code of a state or organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a code of a state: expected capital letters")]
pub struct NotAState;

/// The two-letter country of a certificate's name (attribute `C`), in capital letters.
///
/// Source: ICAO Doc 9303-12, 8th edition, §7.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Reads two letters of either case.
    ///
    /// # Errors
    ///
    /// [`NotAState`] for anything else.
    pub fn parse(text: &str) -> Result<CountryCode, NotAState> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| NotAState)?;
        if letters.iter().all(u8::is_ascii_alphabetic) {
            Ok(CountryCode(letters.map(|byte| byte.to_ascii_uppercase())))
        } else {
            Err(NotAState)
        }
    }

    /// Two capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Letters by construction, so always valid UTF-8.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Germany's code in a machine-readable zone. Source: ICAO Doc 9303-3, §5.
const GERMANY: [u8; 3] = *b"D<<";

/// Utopia, the state of specimens, has three letters only (ICAO Doc 9303-3, §5). A certificate
/// needs two, and ISO 3166 assigns `UT` to nobody.
const SPECIMEN_STATE: &str = "UTOUT";

/// Three letters and two, for issuers that ICAO Doc 9303-3 §5 adds to ISO 3166.
const ICAO_CODES: &str = "GBDGB GBNGB GBOGB GBPGB GBSGB RKSKS UNKKS XKXKS UNOUN UNAUN EUEEU \
    XPOXP XOMXM";

/// Three letters and two of each country. Source: ISO 3166-1.
const ISO_3166: &str = "\
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG \
    AUSAU AUTAT AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL \
    BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH \
    CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX \
    CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES \
    ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI \
    GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM \
    HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT \
    JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB \
    LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD \
    MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS \
    MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO \
    NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP \
    PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS \
    SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI \
    SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO \
    TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC \
    VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn germany_has_one_letter_in_the_zone_and_three_elsewhere() {
        let code = StateCode::from_mrz(*b"D<<").unwrap();
        assert_eq!(code.alpha3(), "DEU");
        assert_eq!(code.country(), CountryCode::parse("DE").ok());
        assert_eq!(code.to_mrz(), *b"D<<");
    }

    #[test]
    fn utopia_is_ut_in_certificates() {
        let code: StateCode = "UTO".parse().unwrap();
        assert_eq!(code.country(), CountryCode::parse("ut").ok());
    }

    #[test]
    fn a_stateless_person_has_no_country() {
        assert_eq!(StateCode::from_mrz(*b"XXA").unwrap().country(), None);
    }

    #[test]
    fn fillers_before_letters_digits_and_small_letters_are_refused() {
        for field in [*b"<<<", *b"A<B", *b"<AB", *b"AB1", *b"uto"] {
            assert_eq!(StateCode::from_mrz(field), Err(NotAState));
        }
        for text in ["", "ABCD", "A<", "ab"] {
            assert_eq!(text.parse::<StateCode>(), Err(NotAState));
        }
        for text in ["", "D", "DEU", "D1", "é"] {
            assert_eq!(CountryCode::parse(text), Err(NotAState));
        }
    }

    #[test]
    fn every_entry_has_five_letters_and_stands_once() {
        let mut entries: Vec<&str> = ISO_3166.split_whitespace().collect();
        assert_eq!(entries.len(), 249);
        assert!(
            entries
                .iter()
                .all(|e| e.len() == 5 && e.bytes().all(|b| b.is_ascii_uppercase()))
        );
        entries.sort_unstable_by_key(|entry| &entry[3..]);
        entries.dedup_by_key(|entry| &entry[3..]);
        assert_eq!(entries.len(), 249);
    }
}
