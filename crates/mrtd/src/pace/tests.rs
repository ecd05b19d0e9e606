//! The worked examples of ICAO Doc 9303-11, appendices G.1, H.1 and I.1.

use super::*;
use crate::security_info::{PACE_ECDH_CAM, SecurityInfos};

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn info(hex: &str) -> PaceInfo {
    let list = tlv::element(0x31, &[&octets(hex)]);
    SecurityInfos::parse(&list).unwrap().pace.remove(0)
}

fn key(secret: &str, public: &str) -> Ephemeral {
    Ephemeral {
        secret: Zeroizing::new(octets(secret)),
        public: octets(public),
    }
}

#[test]
fn the_generic_mapping_comes_out() {
    let info = info("3012060A04007F0007020204020202010202010D");
    let access = AccessKey::from_zone("T22000129", "640812", "101031").unwrap();
    let pace = Pace::new(&info, &access).unwrap();
    assert_eq!(
        pace.info.name(),
        "PACE ECDH-GM brainpoolP256r1 with AES-128"
    );
    assert_eq!(
        pace.password.octets(),
        octets("89DED1B26624EC1E634C1989302849DD")
    );
    // The example's command, and the number of the parameters, which it leaves out.
    assert_eq!(
        *pace.begin().encode(),
        octets("0022C1A412800A04007F0007020204020283010184010D")
    );
    let nonce = pace.nonce(&octets("95A3A016522EE98D01E76CB6B98B42C3"));
    let nonce = nonce.unwrap();
    assert_eq!(*nonce, octets("3F00C4D39D153F2B2A214A078D899B22"));
    assert_eq!(
        pace.encrypted_nonce(&nonce),
        octets("95A3A016522EE98D01E76CB6B98B42C3")
    );

    let reader = key(
        "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99",
        "047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D",
    );
    let chip = key(
        "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560",
        "04824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F5730D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54",
    );
    let shared = pace.shared(&reader, &chip.public).unwrap();
    assert_eq!(shared, pace.shared(&chip, &reader.public).unwrap());
    let generator = pace.generic(&nonce, &shared).unwrap();
    assert_eq!(
        generator,
        octets(
            "048CED63C91426D4F0EB1435E7CB1D74A46723A0AF21C89634F65A9AE87A9265E28C879506743F8611AC33645C5B985C80B5F09A0B83407C1B6A4D857AE76FE522"
        )
    );

    let reader = key(
        "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
        "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
    );
    let chip = key(
        "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
        "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094",
    );
    let curve = Curve::BrainpoolP256r1.arithmetic();
    assert_eq!(
        *curve.multiply(&generator, &reader.secret).unwrap(),
        reader.public
    );
    let shared = pace.shared(&reader, &chip.public).unwrap();
    let keys = pace.session_keys(&shared);
    assert_eq!(
        keys.encryption.octets(),
        octets("F5F0E35C0D7161EE6724EE513A0D9A7F")
    );
    assert_eq!(
        keys.authentication.octets(),
        octets("FE251C7858B356B24514B3BD5F4297D1")
    );
    assert_eq!(
        pace.token(&keys, &chip.public).to_vec(),
        octets("C2B0BD78D94BA866")
    );
    assert!(pace.is_token(&keys, &reader.public, &octets("3ABB9674BCE93C08")));
    assert!(!pace.is_token(&keys, &reader.public, &octets("C2B0BD78D94BA866")));
}

#[test]
fn the_integrated_mapping_comes_out() {
    let access = AccessKey::from_number("123456").unwrap();
    let mut info = info("3012060A04007F0007020204020202010202010D");
    info.protocol = crate::security_info::PACE_ECDH_IM.push_arc(2).unwrap();
    info.mapping = Mapping::Integrated;
    let pace = Pace::new(&info, &access).unwrap();
    assert_eq!(
        pace.password.octets(),
        octets("591468CDA83D65219CCCB8560233600F")
    );
    let nonce = pace.nonce(&octets("143DC40C08C8E891FBED7DEDB92B64AD"));
    let nonce = nonce.unwrap();
    assert_eq!(*nonce, octets("2923BE84E16CD6AE529049F1F1BBE9EB"));
    let generator = pace.integrated(&nonce, &octets("5DD4CBFC96F5453B130D890A1CDBAE32"));
    let generator = generator.unwrap();
    // Only the first coordinate counts: both sides get the same keys from either sign.
    assert_eq!(
        coordinate(&generator),
        coordinate(&octets(
            "048E82D31559ED0FDE92A4D0498ADD3C23BABA94FB77691E31E90AEA77FB17D4274C1AE14BD0C3DBAC0C871B7F3608169364437CA30AC243A089D3F266C1E60FAD"
        ))
    );
    let reader = key(
        "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
        "0489CBA23FFE96AA18D824627C3E934E54A9FD0B87A95D1471DC1C0ABFDCD640D46755DE9B7B778280B6BEBD57439ADFEB0E21FD4ED6DF42578C13418A59B34C37",
    );
    let chip = octets(
        "0467F78E5F7F7686082B293E8D087E056916D0F74BC01A5F8957D0DE45691E51E8932B69A962B52A0985AD2C0A271EE6A13A8ADDDCD1A3A994B9DED257F4D22753",
    );
    let keys = pace.session_keys(&pace.shared(&reader, &chip).unwrap());
    assert_eq!(
        keys.encryption.octets(),
        octets("0D3FEB33251A6370893D62AE8DAAF51B")
    );
    assert_eq!(
        keys.authentication.octets(),
        octets("B01E89E3D9E8719E586B50B4A7506E0B")
    );
    assert_eq!(
        pace.token(&keys, &chip).to_vec(),
        octets("450F02B86F6A0909")
    );
    assert!(pace.is_token(&keys, &reader.public, &octets("75D4D96E8D5B0308")));
}

#[test]
fn the_mapping_of_chip_authentication_opens_as_the_generic_one_does() {
    let info = info("3012060A04007F0007020204060202010202010D");
    assert_eq!(info.protocol.parent(), Some(PACE_ECDH_CAM));
    let access = AccessKey::from_zone("C11T002JM", "960812", "231031").unwrap();
    let pace = Pace::new(&info, &access).unwrap();
    let nonce = pace.nonce(&octets("CB60E8E0D85B76A9BD304747C2AD42E2"));
    let nonce = nonce.unwrap();
    assert_eq!(*nonce, octets("658B860BC94DF6F044FCE6D5C82CF8E5"));
    let reader = key(
        "5D8BB87BD74D985A4B7D4325B9F7B976FE835122773400798914AA22738135CC",
        "047F1D410ADB7DDB3B84BF1030800981A9105D7457B4A3ADE002384F3086C67EDE1AB889104A27DB6D842B019020FBF3CEACB0DC627F7BDCAC29969E19D0E553C1",
    );
    let chip = octets(
        "04A234236AA9B9621E8EFB73B5245C0E09D2576E5277183C1208BDD55280CAE8B304F365713A356E65A451E165ECC9AC0AC46E3771342C8FE5AEDD092685338E23",
    );
    let generator = pace.generic(&nonce, &pace.shared(&reader, &chip).unwrap());
    assert_eq!(
        generator.unwrap(),
        octets(
            "0489F0B5EABF3BE293C75903A3986131925C9F5B515CA95AF485DC7E886F03245D44BEFB2DD3A0DBD71CB5E618971CF4747F12B79E548379A40E45963BAAF3E829"
        )
    );
    let reader = key(
        "76ECFDAA9841C323A3F5FC5E88B88DB3EFF7E35EBF57A7E6946CB630006C2120",
        "04446C934084D9DAB863944F219520076C29EE3F7AE6722B11FF319EC1C7728F955483400BFF60BF0C5929270009277DC2A515E12575010AD9BA916CF1BF86FEFC",
    );
    let chip = octets(
        "0402AD566F3C6EC7F9324509AD50A51FA52030782A4968FCFEDF737DAEA993333111C3B9B4C2287789BD137E7F8AA882E2A3C633CCD6ECC2C63C57AD401A09C2E1",
    );
    let keys = pace.session_keys(&pace.shared(&reader, &chip).unwrap());
    assert_eq!(
        keys.encryption.octets(),
        octets("0A9DA4DB03BDDE39FC5202BC44B2E89E")
    );
    assert_eq!(
        keys.authentication.octets(),
        octets("4B1C06491ED5140CA2B537D344C6C0B1")
    );
    assert_eq!(
        pace.token(&keys, &chip).to_vec(),
        octets("E86BD06018A1CD3B")
    );
    assert!(pace.is_token(&keys, &reader.public, &octets("8596CF055C67C1A3")));
}

#[test]
fn a_key_that_comes_back_and_points_of_other_forms_are_refused() {
    let info = info("3012060A04007F0007020204020202010202010D");
    let access = AccessKey::from_number("123456").unwrap();
    let pace = Pace::new(&info, &access).unwrap();
    let own = key(
        "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
        "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
    );
    assert!(pace.shared(&own, &own.public).is_none());
    let mut compressed = octets("049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094")[..33].to_vec();
    compressed[0] = 2;
    assert!(pace.shared(&own, &compressed).is_none());
    let mut off = octets(
        "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094",
    );
    off[64] ^= 1;
    assert!(pace.shared(&own, &off).is_none());
    assert!(pace.shared(&own, &[]).is_none());
}
