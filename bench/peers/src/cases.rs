//! The names of the cases, and what all who do one of them are given.

pub const MESSAGES: usize = 10;
/// Messages of each side in a blind issuance.
pub const COMMITTED: usize = 5;
pub const HEADER: &[u8] = b"header";
pub const PH: &[u8] = b"presentation header";
pub const CONTEXT: &[u8] = b"a site";

pub const SIGN: &str = "sign, 10 messages";
pub const ONE: [&str; 2] = [
    "prove, 10 messages, 1 disclosed",
    "verify, 10 messages, 1 disclosed",
];
pub const TWO: [&str; 2] = [
    "prove, 10 messages, 2 disclosed",
    "verify, 10 messages, 2 disclosed",
];
/// By the number of nym_secrets.
pub const NYM: [(usize, [&str; 2]); 3] = [
    (
        1,
        [
            "certificate layout, N = 1: prove",
            "certificate layout, N = 1: verify",
        ],
    ),
    (
        10,
        [
            "certificate layout, N = 10: prove",
            "certificate layout, N = 10: verify",
        ],
    ),
    (
        16,
        [
            "certificate layout, N = 16: prove",
            "certificate layout, N = 16: verify",
        ],
    ),
];
/// Slots 1 to 16, and the one that is disclosed.
pub const KNOWN: usize = 16;
pub const DISCLOSED_SLOT: usize = 6;

/// By the number of proofs, each with 10 messages and 2 disclosed.
pub const BATCHES: [(usize, &str); 3] = [
    (8, "batch verification, 8 proofs"),
    (64, "batch verification, 64 proofs"),
    (1024, "batch verification, 1024 proofs"),
];

pub const SIGN_IN: [&str; 2] = ["sign-in proof: prove", "sign-in proof: verify"];
pub const BLIND: [&str; 2] = [
    "blind commitment, 5 messages",
    "blind signature, 5 messages and 5 committed",
];
pub const RENEWAL: [&str; 2] = ["renewal: prove", "renewal: verify and sign"];
pub const AGE: [&str; 2] = [
    "certificate layout, N = 10, with age: prove",
    "certificate layout, N = 10, with age: verify",
];

pub const PAIRINGS: &str = "product of two pairings, lines precomputed";
pub const POINTS: &str = "three points of a proof, decompressed and in the subgroup";
pub const MSM_PLAIN: &str = "multi-scalar multiplication, 16 terms (10 messages)";
pub const MSM_NYM: &str = "multi-scalar multiplication, 35 terms (N = 10)";

/// The order of the table.
pub const ALL: [&str; 17] = [
    SIGN,
    ONE[0],
    ONE[1],
    TWO[0],
    TWO[1],
    NYM[0].1[0],
    NYM[0].1[1],
    NYM[1].1[0],
    NYM[1].1[1],
    NYM[2].1[0],
    NYM[2].1[1],
    AGE[0],
    AGE[1],
    SIGN_IN[0],
    SIGN_IN[1],
    BLIND[0],
    BLIND[1],
];
/// Cases that nobody else has.
pub const OURS_ALONE: [&str; 5] = [
    RENEWAL[0],
    RENEWAL[1],
    BATCHES[0].1,
    BATCHES[1].1,
    BATCHES[2].1,
];
pub const FLOOR: [&str; 4] = [PAIRINGS, POINTS, MSM_PLAIN, MSM_NYM];

/// The messages as octets.
pub fn messages(count: usize) -> Vec<Vec<u8>> {
    let message = |i| format!("message number {i} of a signature").into_bytes();
    (0..count).map(message).collect()
}
