use std::collections::BTreeSet;

use crate::suite;

#[test]
fn no_two_domain_separation_strings_are_equal_or_begin_alike() {
    let starting = [
        suite::HASH_TO_GROUP_DST,
        suite::HASH_TO_SCALAR_DST,
        suite::SEED_DST,
        suite::TAG_INDEX_DST,
    ];
    let ending = [
        suite::COMPOSITE_LABEL,
        suite::CHALLENGE_LABEL,
        suite::FINALIZE_LABEL,
    ];
    let all: BTreeSet<_> = starting.iter().chain(&ending).collect();
    assert_eq!(all.len(), starting.len() + ending.len());
    for one in starting {
        assert_eq!(
            starting
                .iter()
                .filter(|other| other.starts_with(one))
                .count(),
            1
        );
    }
    for one in ending {
        assert_eq!(
            ending.iter().filter(|other| other.ends_with(one)).count(),
            1
        );
    }
}
