//! Whether docs/specs/enrolment.openapi.json has every route and every id. That the operator answers
//! as it says is seen by a flow of `crates/e2e`.

use std::collections::BTreeSet;

use serde_json::Value;

const DESCRIPTION: &str = include_str!("../../../../../docs/specs/enrolment.openapi.json");
const ERRORS: &str = include_str!("../../../../../docs/specs/errors.md");
const ROUTES: &str = include_str!("mod.rs");

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

#[test]
fn every_route_is_described_and_every_described_path_is_a_route() {
    let literals = ROUTES.split('"').skip(1).step_by(2);
    let routes = literals.filter(|text| text.starts_with('/'));
    let routes: BTreeSet<String> = routes
        .map(|path| path.replace("{id}", "{session}"))
        .collect();
    let description = description();
    let paths = description["paths"].as_object().unwrap().keys();
    assert_eq!(paths.cloned().collect::<BTreeSet<_>>(), routes);
}

/// The part of errors.md about the operator: ids with their status.
fn documented() -> BTreeSet<(String, u64)> {
    let (_, operator) = ERRORS.split_once("## Operator").unwrap();
    let (operator, _) = operator.split_once("\n## ").unwrap();
    let mut found = BTreeSet::new();
    for row in operator.lines().filter(|row| row.starts_with("| `")) {
        let mut cells = row.split('|').skip(1);
        let (ids, status) = (cells.next().unwrap(), cells.next().unwrap());
        let status = status.trim().parse().unwrap();
        let ids = ids.split('`').skip(1).step_by(2);
        found.extend(ids.map(|id| (id.to_owned(), status)));
    }
    found
}

/// The ids of each response, which stand in an `enum` beside its status or its code of OAuth.
fn described(responses: &Value) -> BTreeSet<(String, u64)> {
    let description = description();
    let mut uses = Vec::new();
    collect(&description["paths"], "responses", &mut uses);
    let mut found = BTreeSet::new();
    for (status, response) in uses.iter().filter_map(|used| used.as_object()).flatten() {
        let Some(name) = response["$ref"].as_str() else {
            continue;
        };
        let name = name.rsplit('/').next().unwrap();
        let mut ids = Vec::new();
        collect(&responses[name]["content"], "id", &mut ids);
        let ids = ids.iter().flat_map(|id| id["enum"].as_array().unwrap());
        let status = status.parse().unwrap();
        found.extend(ids.map(|id| (id.as_str().unwrap().to_owned(), status)));
    }
    found
}

/// All members of this name, wherever they stand.
fn collect<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members
                .values()
                .for_each(|member| collect(member, name, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_id_is_described_with_its_status() {
    let mut documented = documented();
    assert!(documented.len() > 50, "errors.md is read wrongly");
    // Of addresses and methods that are not described.
    assert!(documented.remove(&("method-not-allowed".to_owned(), 405)));
    // Of every server.
    documented.insert(("request-timeout".to_owned(), 408));
    let description = description();
    assert_eq!(
        described(&description["components"]["responses"]),
        documented
    );
}
