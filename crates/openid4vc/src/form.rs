//! Parameters in the form `application/x-www-form-urlencoded`, in queries and bodies.

use std::collections::BTreeMap;

use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::Secret;

/// Parameters by name. A parameter without a value counts as absent, and all are wiped when
/// dropped because some hold codes.
///
/// Source: RFC 6749 §3.1 and §3.2.
#[derive(Default)]
pub struct Parameters(BTreeMap<String, Zeroizing<String>>);

impl Parameters {
    /// Reads a query (without its `?`) or a body of at most `max_bytes`.
    ///
    /// # Errors
    ///
    /// [`FormError`] if it is too long, not UTF-8 once decoded, or names a parameter twice.
    pub fn parse(text: &str, max_bytes: usize) -> Result<Parameters, FormError> {
        if text.len() > max_bytes {
            return Err(FormError::TooLong);
        }
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (form_decode(name)?, Zeroizing::new(form_decode(value)?));
            if parameters.insert(name, value).is_some() {
                return Err(FormError::Repeated);
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Parameters(parameters))
    }

    /// The value of a parameter, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// The value as an owned text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The value of a parameter that grants something.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::from)
    }

    /// The value read as JSON.
    ///
    /// # Errors
    ///
    /// [`FormError::Json`] if there is a value that is not JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FormError> {
        self.get(name)
            .map(|value| serde_json::from_str(value).map_err(|_| FormError::Json))
            .transpose()
    }

    /// Whether the parameter has a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Why a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than the limit.
    #[error("form is too long")]
    TooLong,
    /// A name or value is not UTF-8 once decoded.
    #[error("form is not text")]
    Encoding,
    /// A parameter occurs twice.
    #[error("a parameter is given twice")]
    Repeated,
    /// A parameter that carries JSON does not.
    #[error("a parameter is not the JSON it should be")]
    Json,
}

/// Writes parameters as a query or body, in the order given.
#[must_use]
pub fn compose<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

/// Decodes one name or value; unlike the usual decoders it does not replace what is not UTF-8.
pub(crate) fn form_decode(text: &str) -> Result<String, FormError> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded.map(String::from).map_err(|_| FormError::Encoding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_decoded_and_empty_ones_are_absent() {
        let form = Parameters::parse("a=1%2B+2&b=&c&&d=x%3Dy=z", 100).unwrap();
        assert_eq!(form.get("a"), Some("1+ 2"));
        assert_eq!(
            (form.get("b"), form.has("c"), form.get("d")),
            (None, false, Some("x=y=z"))
        );
    }

    #[test]
    fn repeated_undecodable_and_long_forms_are_refused() {
        let parse = |text| Parameters::parse(text, 20).err();
        assert_eq!(parse("a=1&a=2"), Some(FormError::Repeated));
        assert_eq!(parse("a=1&%61=1"), Some(FormError::Repeated));
        assert_eq!(parse("a=&a="), Some(FormError::Repeated));
        assert_eq!(parse("a=%ff"), Some(FormError::Encoding));
        assert_eq!(parse("a=123456789012345678901"), Some(FormError::TooLong));
        let form = Parameters::parse("a={", 20).unwrap();
        assert_eq!(form.json::<Vec<u8>>("a"), Err(FormError::Json));
        assert_eq!(form.json::<Vec<u8>>("b"), Ok(None));
    }

    proptest! {
        #[test]
        fn composing_and_parsing_agree(a in "\\PC{1,40}", b in "\\PC{1,40}") {
            let text = compose([("a", a.as_str()), ("b b", b.as_str())]);
            let form = Parameters::parse(&text, 10_000).unwrap();
            prop_assert_eq!(form.get("a"), Some(a.as_str()));
            prop_assert_eq!(form.get("b b"), Some(b.as_str()));
        }

        #[test]
        fn parsing_never_panics(text in "[a-z%0-9+&=]{0,60}|\\PC{0,60}") {
            let _ = Parameters::parse(&text, 1000);
        }
    }
}
