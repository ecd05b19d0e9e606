//! Claims path pointers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a claim is in a credential: a non-empty array of names, indices and wildcards.
///
/// Source: OpenID4VP 1.0 §7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PathPart>", into = "Vec<PathPart>")]
pub struct ClaimsPath(Vec<PathPart>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathPart {
    /// Into the member of this name.
    Name(String),
    /// Into the element of this index, counted from 0.
    Index(u64),
    /// Into every element; `null` in JSON.
    Every,
}

impl ClaimsPath {
    /// The path to a claim at the top of a credential.
    #[must_use]
    pub fn of(name: &str) -> ClaimsPath {
        ClaimsPath(vec![PathPart::Name(name.to_owned())])
    }

    /// The steps.
    #[must_use]
    pub fn parts(&self) -> &[PathPart] {
        &self.0
    }

    /// The name, if the path leads to a claim at the top.
    #[must_use]
    pub fn top_level(&self) -> Option<&str> {
        match self.0.as_slice() {
            [PathPart::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// What the path leads to in a credential of JSON, at least one element.
    ///
    /// Source: OpenID4VP 1.0 §7.1.1.
    ///
    /// # Errors
    ///
    /// [`PathError::Kind`] if a step does not fit what it is taken from; [`PathError::Nothing`] if
    /// the path leads nowhere.
    pub fn select<'a>(&self, credential: &'a Value) -> Result<Vec<&'a Value>, PathError> {
        let mut selected = vec![credential];
        for part in &self.0 {
            let mut next = Vec::new();
            for value in selected {
                next.extend(step(part, value)?);
            }
            selected = next;
        }
        if selected.is_empty() {
            Err(PathError::Nothing)
        } else {
            Ok(selected)
        }
    }
}

/// Why a path selects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path has no step.
    #[error("path is empty")]
    Empty,
    /// A name is applied to something other than an object, or an index or wildcard to something
    /// other than an array.
    #[error("path does not fit the credential")]
    Kind,
    /// The path leads nowhere.
    #[error("credential has no such claim")]
    Nothing,
}

impl TryFrom<Vec<PathPart>> for ClaimsPath {
    type Error = PathError;

    fn try_from(parts: Vec<PathPart>) -> Result<ClaimsPath, PathError> {
        if parts.is_empty() {
            Err(PathError::Empty)
        } else {
            Ok(ClaimsPath(parts))
        }
    }
}

impl From<ClaimsPath> for Vec<PathPart> {
    fn from(path: ClaimsPath) -> Vec<PathPart> {
        path.0
    }
}

fn step<'a>(part: &PathPart, value: &'a Value) -> Result<Vec<&'a Value>, PathError> {
    match part {
        PathPart::Name(name) => {
            let object = value.as_object().ok_or(PathError::Kind)?;
            Ok(object.get(name).into_iter().collect())
        }
        PathPart::Index(index) => {
            let array = value.as_array().ok_or(PathError::Kind)?;
            let element = usize::try_from(*index)
                .ok()
                .and_then(|index| array.get(index));
            Ok(element.into_iter().collect())
        }
        PathPart::Every => Ok(value.as_array().ok_or(PathError::Kind)?.iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn select(path: Value) -> Result<Vec<Value>, PathError> {
        let path: ClaimsPath = serde_json::from_value(path).unwrap();
        let credential = json!({
            "name": "A",
            "address": {"locality": "L"},
            "degrees": [{"type": "B"}, {"type": "M"}, {}],
            "nationalities": ["X", "Y"]
        });
        path.select(&credential)
            .map(|found| found.into_iter().cloned().collect())
    }

    #[test]
    fn paths_lead_where_the_specification_says() {
        assert_eq!(select(json!(["name"])), Ok(vec![json!("A")]));
        assert_eq!(select(json!(["address", "locality"])), Ok(vec![json!("L")]));
        assert_eq!(
            select(json!(["degrees", null, "type"])),
            Ok(vec![json!("B"), json!("M")])
        );
        assert_eq!(select(json!(["nationalities", 1])), Ok(vec![json!("Y")]));
    }

    #[test]
    fn paths_that_lead_nowhere_are_told_from_those_that_do_not_fit() {
        assert_eq!(select(json!(["other"])), Err(PathError::Nothing));
        assert_eq!(select(json!(["nationalities", 2])), Err(PathError::Nothing));
        assert_eq!(
            select(json!(["nationalities", u64::MAX])),
            Err(PathError::Nothing)
        );
        assert_eq!(select(json!(["name", "first"])), Err(PathError::Kind));
        assert_eq!(select(json!(["address", 0])), Err(PathError::Kind));
        assert_eq!(select(json!(["address", null])), Err(PathError::Kind));
        assert_eq!(select(json!([null])), Err(PathError::Kind));
    }

    #[test]
    fn paths_with_other_parts_or_none_are_refused() {
        for path in [
            json!([]),
            json!("name"),
            json!([-1]),
            json!([1.5]),
            json!([true]),
            json!([[]]),
        ] {
            assert!(
                serde_json::from_value::<ClaimsPath>(path.clone()).is_err(),
                "{path}"
            );
        }
        let path = json!(["a", 0, null]);
        let read: ClaimsPath = serde_json::from_value(path.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), path);
    }
}
