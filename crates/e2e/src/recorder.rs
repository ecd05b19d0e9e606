//! What a party hears and says, as whoever controls the party can write it down.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use credential::jose;
use credential::jose::jwe::DecryptionKey;
use serde_json::Value;
use server::demo::deployment::Party;

use crate::impostor::{Asked, Impostor, Said};
use crate::rows::{self, Content};
use crate::world::World;

/// One request and its answer.
pub struct Exchange {
    /// What was asked.
    pub asked: Asked,
    /// What was answered.
    pub said: Said,
    /// The keys that the party could have opened the request with.
    pub keys: Vec<DecryptionKey>,
}

/// A party with somebody in front of it who writes everything down.
pub struct Recorder {
    _impostor: Impostor,
    heard: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Writes down from now on what reaches `party`.
    ///
    /// # Errors
    ///
    /// When nothing can listen in its place.
    pub fn start(world: &World, party: Party) -> anyhow::Result<Recorder> {
        let (impostor, real) = world.impostor_before(party)?;
        let store = world.deployment().folder_of(party).join("gateway.sqlite");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&heard);
        impostor.behave(move |asked| {
            // A gateway forgets the key of a request with its answer.
            let keys = response_keys(&store);
            let said = real.ask(asked);
            let (asked, answer) = (asked.clone(), said.clone());
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push(Exchange {
                asked,
                said: answer,
                keys,
            });
            said
        });
        Ok(Recorder {
            _impostor: impostor,
            heard,
        })
    }

    /// What was heard since this was last called.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The secret keys of requests that wait for an answer, from a gateway's store.
fn response_keys(store: &Path) -> Vec<DecryptionKey> {
    let mut found = Vec::new();
    for row in rows::read(store).unwrap_or_default() {
        for (column, content) in row.columns {
            if let ("state", Content::Octets(octets)) = (column.as_str(), content) {
                let state = serde_json::from_slice(&octets).unwrap_or_default();
                collect_keys(&state, &mut found);
            }
        }
    }
    found
}

fn collect_keys(value: &Value, found: &mut Vec<DecryptionKey>) {
    match value {
        Value::Object(members) => {
            let key = members.get("key").and_then(Value::as_str);
            let scalar = key.and_then(|key| jose::decode(key).ok()?.try_into().ok());
            found.extend(scalar.and_then(|scalar| DecryptionKey::from_bytes(&scalar).ok()));
            members
                .values()
                .for_each(|value| collect_keys(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_keys(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
