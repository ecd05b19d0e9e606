//! A document's chip on the test's own reader.

use credential::jose;
use mrtd::specimen::{SpecimenChip, SpecimenPassport};
use mrtd::{AccessKey, ChipQuestion, ChipReader, SecurityInfos, Transport, TransportError};
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::World;
use super::wallet::{Reply, Session};

/// A chip in the field of the reader.
struct Field<'c>(&'c mut SpecimenChip);

impl Transport for Field<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let answer = self.0.answer(command, &mut UnwrapErr(getrandom::SysRng));
        Ok(Zeroizing::new(answer))
    }
}

impl World {
    /// Lets the chip of a passport answer the operator's question.
    pub(crate) async fn prove(
        &self,
        session: &Session,
        (passport, chip): (&SpecimenPassport, &mut SpecimenChip),
        question: &Value,
    ) -> Reply {
        let octets = |member: &str| jose::decode(question[member].as_str().unwrap()).unwrap();
        let question = ChipQuestion {
            cipher: 2,
            key_id: None,
            public_key: octets("public_key"),
            command: octets("command"),
        };
        let (_, protocols) = passport.others.last().unwrap();
        let protocols = SecurityInfos::parse_dg14(protocols).unwrap();
        let zone = &passport.printed_zone;
        let password = AccessKey::from_printed(&[&zone[0], &zone[1]]).unwrap();
        let mut field = Field(chip);
        let mut rng = UnwrapErr(getrandom::SysRng);
        let reader = ChipReader::open(&mut field, &password, &mut rng).unwrap();
        let answer = reader.ask(&question, &protocols).unwrap();
        self.answer_for_chip(session, &answer).await
    }

    pub(crate) async fn answer_for_chip(&self, session: &Session, answer: &[u8]) -> Reply {
        let body = json!({ "answer": jose::encode(answer) });
        self.post(session, "chip", &body).await
    }
}
