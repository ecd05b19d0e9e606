use std::sync::Arc;

use credential::time::UnixTime;
use store::{
    Consumed, NewCode, NewToken, NonceInserted, Redemption, SecretHash, SessionId, SessionStore,
    UnlockHash,
};

const NOW: UnixTime = UnixTime(1_800_000_000);
/// More nonces than any of these tests has out.
const NONCES: u64 = 1000;
const RIGHT: UnlockHash = UnlockHash([1; 32]);
const WRONG: UnlockHash = UnlockHash([2; 32]);

fn code(n: u8) -> NewCode {
    NewCode {
        code: SecretHash([n; 32]),
        unlock: RIGHT,
        session: SessionId([n; 16]),
        attempts: 3,
        expires: NOW.plus_secs(600),
    }
}

fn token(n: u8) -> NewToken {
    NewToken {
        token: SecretHash([n; 32]),
        expires: NOW.plus_secs(300),
    }
}

pub(crate) async fn all(one: Arc<dyn SessionStore>, two: Arc<dyn SessionStore>) {
    a_code_buys_one_token_once(&*one).await;
    a_code_is_refused_from_the_second_it_expires(&*one).await;
    a_code_ends_with_the_third_wrong_transaction_code(&*one).await;
    a_token_is_refused_from_the_second_it_expires(&*one).await;
    a_nonce_is_taken_once_and_only_before_it_expires(&*one).await;
    an_identifier_is_taken_once(&*one).await;
    a_forgotten_session_has_neither_code_nor_token(&*one).await;
    what_has_expired_is_forgotten_and_the_rest_stays(&*one).await;
    of_racing_redemptions_exactly_one_succeeds(one.clone(), two.clone()).await;
    of_racing_uses_of_a_nonce_exactly_one_is_first(one.clone(), two.clone()).await;
    racing_wrong_transaction_codes_are_all_counted(one.clone(), two).await;
    so_many_nonces_are_handed_out_until_the_oldest_ends(&*one).await;
}

async fn a_code_buys_one_token_once(store: &dyn SessionStore) {
    store.insert_code(code(1)).await.unwrap();
    let redeem = || store.redeem_code(code(1).code, RIGHT, token(101), NOW);
    assert_eq!(
        redeem().await.unwrap(),
        Redemption::Redeemed(code(1).session)
    );
    let found = store.find_token(token(101).token, NOW).await.unwrap();
    assert_eq!(found, Some(code(1).session));
    assert_eq!(redeem().await.unwrap(), Redemption::InvalidCode);
    let unknown = store
        .redeem_code(SecretHash([99; 32]), RIGHT, token(102), NOW)
        .await;
    assert_eq!(unknown.unwrap(), Redemption::InvalidCode);
    assert_eq!(store.find_token(token(102).token, NOW).await.unwrap(), None);
}

async fn a_code_is_refused_from_the_second_it_expires(store: &dyn SessionStore) {
    store.insert_code(code(2)).await.unwrap();
    let late = code(2).expires;
    let refused = store
        .redeem_code(code(2).code, RIGHT, token(103), late)
        .await
        .unwrap();
    assert_eq!(refused, Redemption::InvalidCode);
    let early = UnixTime(late.0 - 1);
    let taken = store
        .redeem_code(code(2).code, RIGHT, token(103), early)
        .await
        .unwrap();
    assert_eq!(taken, Redemption::Redeemed(code(2).session));
}

async fn a_code_ends_with_the_third_wrong_transaction_code(store: &dyn SessionStore) {
    store.insert_code(code(3)).await.unwrap();
    for attempts_left in [2, 1, 0] {
        let refused = store
            .redeem_code(code(3).code, WRONG, token(104), NOW)
            .await
            .unwrap();
        assert_eq!(refused, Redemption::WrongTransactionCode { attempts_left });
    }
    let ended = store
        .redeem_code(code(3).code, RIGHT, token(104), NOW)
        .await
        .unwrap();
    assert_eq!(ended, Redemption::InvalidCode);
    assert_eq!(store.find_token(token(104).token, NOW).await.unwrap(), None);
}

async fn a_token_is_refused_from_the_second_it_expires(store: &dyn SessionStore) {
    store.insert_code(code(4)).await.unwrap();
    store
        .redeem_code(code(4).code, RIGHT, token(105), NOW)
        .await
        .unwrap();
    let last = UnixTime(token(105).expires.0 - 1);
    assert!(
        store
            .find_token(token(105).token, last)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_token(token(105).token, token(105).expires)
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_nonce_is_taken_once_and_only_before_it_expires(store: &dyn SessionStore) {
    let expires = NOW.plus_secs(60);
    let (a, b) = (SecretHash([5; 32]), SecretHash([6; 32]));
    for nonce in [a, b] {
        let inserted = store.insert_nonce(nonce, expires, NONCES).await.unwrap();
        assert_eq!(inserted, NonceInserted::Done);
    }
    assert_eq!(store.consume_nonce(a, NOW).await.unwrap(), Consumed::First);
    assert_eq!(
        store.consume_nonce(a, NOW).await.unwrap(),
        Consumed::Refused
    );
    assert_eq!(
        store.consume_nonce(b, expires).await.unwrap(),
        Consumed::Refused
    );
    let unknown = SecretHash([7; 32]);
    assert_eq!(
        store.consume_nonce(unknown, NOW).await.unwrap(),
        Consumed::Refused
    );
}

async fn an_identifier_is_taken_once(store: &dyn SessionStore) {
    let (jti, expires) = (SecretHash([8; 32]), NOW.plus_secs(60));
    assert_eq!(
        store.insert_jti(jti, expires).await.unwrap(),
        Consumed::First
    );
    assert_eq!(
        store.insert_jti(jti, expires).await.unwrap(),
        Consumed::Refused
    );
}

async fn a_forgotten_session_has_neither_code_nor_token(store: &dyn SessionStore) {
    let session = SessionId([9; 16]);
    store
        .insert_code(NewCode { session, ..code(9) })
        .await
        .unwrap();
    store
        .insert_code(NewCode {
            session,
            ..code(10)
        })
        .await
        .unwrap();
    store
        .redeem_code(code(9).code, RIGHT, token(106), NOW)
        .await
        .unwrap();
    store.forget_session(session).await.unwrap();
    assert_eq!(store.find_token(token(106).token, NOW).await.unwrap(), None);
    let refused = store
        .redeem_code(code(10).code, RIGHT, token(107), NOW)
        .await
        .unwrap();
    assert_eq!(refused, Redemption::InvalidCode);
}

async fn what_has_expired_is_forgotten_and_the_rest_stays(store: &dyn SessionStore) {
    let (old, new) = (SecretHash([11; 32]), SecretHash([12; 32]));
    store.insert_jti(old, NOW.plus_secs(10)).await.unwrap();
    store.insert_jti(new, NOW.plus_secs(20)).await.unwrap();
    store.forget_expired(NOW.plus_secs(10)).await.unwrap();
    assert_eq!(
        store.insert_jti(old, NOW.plus_secs(30)).await.unwrap(),
        Consumed::First
    );
    assert_eq!(
        store.insert_jti(new, NOW.plus_secs(30)).await.unwrap(),
        Consumed::Refused
    );
}

async fn of_racing_redemptions_exactly_one_succeeds(
    one: Arc<dyn SessionStore>,
    two: Arc<dyn SessionStore>,
) {
    for n in 20..40 {
        one.insert_code(code(n)).await.unwrap();
        let attempt = |store: Arc<dyn SessionStore>, token: NewToken| {
            tokio::spawn(async move {
                store
                    .redeem_code(code(n).code, RIGHT, token, NOW)
                    .await
                    .unwrap()
            })
        };
        let (a, b) = (token(120 + n), token(180 + n));
        let (left, right) = tokio::join!(attempt(one.clone(), a), attempt(two.clone(), b));
        let outcomes = [left.unwrap(), right.unwrap()];
        let won = Redemption::Redeemed(code(n).session);
        assert_eq!(outcomes.iter().filter(|o| **o == won).count(), 1);
        assert!(outcomes.contains(&Redemption::InvalidCode));
        let stored = [
            one.find_token(a.token, NOW).await.unwrap(),
            one.find_token(b.token, NOW).await.unwrap(),
        ];
        assert_eq!(stored.iter().flatten().count(), 1);
    }
}

async fn so_many_nonces_are_handed_out_until_the_oldest_ends(store: &dyn SessionStore) {
    let far = NOW.plus_secs(100_000);
    store.forget_expired(far).await.unwrap();
    let insert = async |n: u8, secs: u64| {
        let (nonce, expires) = (SecretHash([n; 32]), far.plus_secs(secs));
        store.insert_nonce(nonce, expires, 3).await.unwrap()
    };
    for n in 80..83 {
        assert_eq!(insert(n, u64::from(n)).await, NonceInserted::Done);
    }
    assert_eq!(insert(83, 90).await, NonceInserted::TooMany);
    let refused = store.consume_nonce(SecretHash([83; 32]), far).await;
    assert_eq!(refused.unwrap(), Consumed::Refused);
    // The oldest has ended.
    store.forget_expired(far.plus_secs(80)).await.unwrap();
    assert_eq!(insert(83, 90).await, NonceInserted::Done);
    assert_eq!(insert(84, 90).await, NonceInserted::TooMany);
    // It was used up.
    let used = store.consume_nonce(SecretHash([81; 32]), far).await;
    assert_eq!(used.unwrap(), Consumed::First);
    assert_eq!(insert(84, 90).await, NonceInserted::Done);
}

async fn of_racing_uses_of_a_nonce_exactly_one_is_first(
    one: Arc<dyn SessionStore>,
    two: Arc<dyn SessionStore>,
) {
    for n in 40..60 {
        let nonce = SecretHash([n; 32]);
        one.insert_nonce(nonce, NOW.plus_secs(60), NONCES)
            .await
            .unwrap();
        let attempt = |store: Arc<dyn SessionStore>| {
            tokio::spawn(async move { store.consume_nonce(nonce, NOW).await.unwrap() })
        };
        let (left, right) = tokio::join!(attempt(one.clone()), attempt(two.clone()));
        let outcomes = [left.unwrap(), right.unwrap()];
        assert!(outcomes.contains(&Consumed::First) && outcomes.contains(&Consumed::Refused));
    }
}

async fn racing_wrong_transaction_codes_are_all_counted(
    one: Arc<dyn SessionStore>,
    two: Arc<dyn SessionStore>,
) {
    one.insert_code(code(70)).await.unwrap();
    let attempt = |store: Arc<dyn SessionStore>| {
        tokio::spawn(async move {
            store
                .redeem_code(code(70).code, WRONG, token(110), NOW)
                .await
                .unwrap()
        })
    };
    let attempts = [one.clone(), two.clone(), one.clone(), two].map(attempt);
    let mut wrong = 0;
    for outcome in attempts {
        if matches!(
            outcome.await.unwrap(),
            Redemption::WrongTransactionCode { .. }
        ) {
            wrong += 1;
        }
    }
    assert_eq!(wrong, 3);
    let ended = one
        .redeem_code(code(70).code, RIGHT, token(110), NOW)
        .await
        .unwrap();
    assert_eq!(ended, Redemption::InvalidCode);
}
