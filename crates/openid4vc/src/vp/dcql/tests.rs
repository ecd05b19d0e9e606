use proptest::prelude::*;
use serde_json::json;

use super::*;

fn query(value: Value) -> Query {
    serde_json::from_value(value).unwrap()
}

fn credential(id: &str) -> Value {
    json!({"id": id, "format": "f", "meta": {}})
}

fn chosen(query: &Query, able: &[&str]) -> Result<Vec<String>, Unanswerable> {
    let chosen = query.choose(|one| able.contains(&one.id.as_str()))?;
    Ok(chosen.into_iter().map(|one| one.id.to_string()).collect())
}

/// Two of three as in the specification's example of alternatives (§6, appendix D).
fn alternatives() -> Query {
    query(json!({
        "credentials": [credential("pid"), credential("other"), credential("half_1"),
            credential("half_2"), credential("nice")],
        "credential_sets": [
            {"options": [["pid"], ["other"], ["half_1", "half_2"]]},
            {"required": false, "options": [["nice"]]}
        ]
    }))
}

#[test]
fn a_query_survives_a_round_trip_and_ignores_what_it_does_not_know() {
    let value = json!({
        "credentials": [{
            "id": "pid", "format": "dc+sd-jwt", "multiple": true,
            "meta": {"vct_values": ["https://credentials.example.com/identity_credential"]},
            "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
            "require_cryptographic_holder_binding": false,
            "claims": [
                {"id": "a", "path": ["family_name"], "values": ["A", 1, true]},
                {"id": "b", "path": ["degrees", null, "type", 0]}
            ],
            "claim_sets": [["a", "b"], ["a"]]
        }],
        "credential_sets": [{"options": [["pid"]], "required": false}]
    });
    assert_eq!(serde_json::to_value(query(value.clone())).unwrap(), value);
    let mut more = value.clone();
    more["extension"] = json!(1);
    more["credentials"][0]["extension"] = json!(1);
    assert_eq!(query(more), query(value));
}

#[test]
fn invalid_queries_are_refused() {
    let one = |extra: Value| {
        let mut one = credential("a");
        one.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        json!({"credentials": [one]})
    };
    let sets = |sets: Value| json!({"credentials": [credential("a")], "credential_sets": sets});
    let cases = [
        (json!({}), "missing field"),
        (json!({"credentials": []}), "credentials is empty"),
        (
            json!({"credentials": [credential("a"), credential("a")]}),
            "credential id is given twice",
        ),
        (json!({"credentials": [credential("")]}), "id is malformed"),
        (
            json!({"credentials": [credential("a b")]}),
            "id is malformed",
        ),
        (
            json!({"credentials": [{"id": "a", "format": "f"}]}),
            "missing field `meta`",
        ),
        (
            json!({"credentials": [{"id": "a", "meta": {}}]}),
            "missing field `format`",
        ),
        (one(json!({"meta": []})), "invalid type"),
        (one(json!({"multiple": "yes"})), "invalid type"),
        (
            one(json!({"trusted_authorities": []})),
            "trusted_authorities is empty",
        ),
        (
            one(json!({"trusted_authorities": [{"type": "aki", "values": []}]})),
            "values is empty",
        ),
        (one(json!({"claims": []})), "claims is empty"),
        (one(json!({"claims": [{"path": []}]})), "path is empty"),
        (
            one(json!({"claims": [{"path": ["x"], "values": []}]})),
            "values is empty",
        ),
        (
            one(json!({"claims": [{"path": ["x"], "values": [1.5]}]})),
            "unsupported type",
        ),
        (
            one(json!({"claims": [{"path": ["x"], "values": [null]}]})),
            "unsupported type",
        ),
        (
            one(json!({"claims": [{"id": "c", "path": ["x"]}, {"id": "c", "path": ["y"]}]})),
            "claim id is given twice",
        ),
        (one(json!({"claim_sets": [["c"]]})), "without claims"),
        (
            one(json!({"claims": [{"path": ["x"]}], "claim_sets": [["c"]]})),
            "claim has no id",
        ),
        (
            one(json!({"claims": [{"id": "c", "path": ["x"]}], "claim_sets": []})),
            "claim_sets is empty",
        ),
        (
            one(json!({"claims": [{"id": "c", "path": ["x"]}], "claim_sets": [["d"]]})),
            "unknown id",
        ),
        (sets(json!([])), "credential_sets is empty"),
        (sets(json!([{"options": []}])), "options is empty"),
        (sets(json!([{"options": [[]]}])), "options is empty"),
        (sets(json!([{"options": [["b"]]}])), "unknown id"),
    ];
    for (value, expected) in cases {
        let error = serde_json::from_value::<Query>(value.clone())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{value}: {error}");
    }
}

#[test]
fn without_sets_every_credential_is_needed() {
    let query = query(json!({"credentials": [credential("a"), credential("b")]}));
    assert_eq!(chosen(&query, &["a", "b"]).unwrap(), ["a", "b"]);
    assert_eq!(chosen(&query, &["a"]), Err(Unanswerable));
}

#[test]
fn of_each_required_set_the_first_possible_option_is_chosen() {
    let query = alternatives();
    assert_eq!(chosen(&query, &["pid", "other", "nice"]).unwrap(), ["pid"]);
    assert_eq!(chosen(&query, &["other", "half_1"]).unwrap(), ["other"]);
    assert_eq!(
        chosen(&query, &["half_1", "half_2"]).unwrap(),
        ["half_1", "half_2"]
    );
    assert_eq!(chosen(&query, &["half_1", "nice"]), Err(Unanswerable));
    assert_eq!(chosen(&query, &[]), Err(Unanswerable));
}

#[test]
fn an_answer_satisfies_a_query_only_with_a_whole_option() {
    let query = alternatives();
    let satisfied = |ids: &[&str]| {
        let ids: Vec<QueryId> = ids.iter().map(|id| QueryId::parse(id).unwrap()).collect();
        query.is_satisfied_by(&ids.iter().collect())
    };
    assert!(satisfied(&["pid"]) && satisfied(&["half_1", "half_2", "nice"]));
    assert!(!satisfied(&["half_1"]) && !satisfied(&["nice"]) && !satisfied(&[]));
}

#[test]
fn the_claims_are_all_wanted_ones_or_the_first_set_there_is() {
    let credential = json!({"family_name": "A", "locality": "L", "age": 20, "tags": ["x", "y"]});
    let claims = |claims: Value, sets: Value| {
        let mut one = json!({"id": "a", "format": "f", "meta": {}, "claims": claims});
        if !sets.is_null() {
            one["claim_sets"] = sets;
        }
        let one: CredentialQuery = serde_json::from_value(one).unwrap();
        let found = one.claims_of(&credential)?;
        Some(
            found
                .iter()
                .map(|claim| claim.path.top_level().unwrap().to_owned())
                .collect(),
        )
    };
    let all = claims(
        json!([{"path": ["family_name"]}, {"path": ["age"]}]),
        Value::Null,
    );
    assert_eq!(all, Some(vec!["family_name".to_owned(), "age".to_owned()]));
    let missing = claims(
        json!([{"path": ["family_name"]}, {"path": ["email"]}]),
        Value::Null,
    );
    assert_eq!(missing, None);

    let wanted = json!([{"id": "n", "path": ["family_name"]}, {"id": "p", "path": ["postal_code"]},
        {"id": "l", "path": ["locality"]}]);
    let set = claims(wanted.clone(), json!([["n", "p"], ["n", "l"]]));
    assert_eq!(
        set,
        Some(vec!["family_name".to_owned(), "locality".to_owned()])
    );
    assert_eq!(claims(wanted, json!([["p"]])), None);

    for (path, values, found) in [
        ("age", json!([19, 20]), true),
        ("age", json!(["20"]), false),
        ("family_name", json!(["a"]), false),
    ] {
        let answer = claims(json!([{"path": [path], "values": values}]), Value::Null);
        assert_eq!(answer.is_some(), found, "{path} {values}");
    }
    let none = CredentialQuery::new(QueryId::parse("a").unwrap(), "f");
    assert_eq!(none.claims_of(&credential), Some(vec![]));
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[\\[\\]{}\",:a-z0-9_ ]{0,120}|\\PC{0,60}") {
        let _ = serde_json::from_str::<Query>(&text);
    }
}
