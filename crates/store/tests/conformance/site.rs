use std::sync::Arc;

use credential::time::UnixTime;
use store::{SiteInserted, SiteRecord, SiteStore};

const NOW: UnixTime = UnixTime(1_800_000_000);

fn record(id: &str, expires: u64) -> SiteRecord {
    SiteRecord {
        entry_id: id.to_owned(),
        origin: "https://forum.localhost:9443".to_owned(),
        entry: format!("entry {id}"),
        expires: NOW.plus_secs(expires),
    }
}

fn ids<const N: usize>(ids: [&str; N]) -> Vec<String> {
    ids.map(str::to_owned).to_vec()
}

pub(crate) async fn all(one: Arc<dyn SiteStore>, two: Arc<dyn SiteStore>) {
    entries_are_listed_in_their_order_until_they_end(&*one).await;
    an_entry_needs_the_others_of_its_site_as_they_were_read(&*one).await;
    of_racing_entries_of_one_site_exactly_one_is_done(one, two).await;
}

async fn entries_are_listed_in_their_order_until_they_end(store: &dyn SiteStore) {
    let (first, second) = (record("b", 100), record("a", 200));
    let insert =
        async |record: &SiteRecord, read: &[String]| store.insert(record, read, NOW).await.unwrap();
    assert_eq!(store.list(NOW).await.unwrap(), []);
    assert_eq!(insert(&first, &[]).await, SiteInserted::Done);
    assert_eq!(insert(&second, &ids(["b"])).await, SiteInserted::Done);
    assert_eq!(insert(&first, &[]).await, SiteInserted::Done);
    assert_eq!(
        store.list(NOW).await.unwrap(),
        [first.clone(), second.clone()]
    );
    let other = SiteRecord {
        entry: "x".to_owned(),
        ..first.clone()
    };
    let read = ids(["b", "a"]);
    assert_eq!(insert(&other, &read).await, SiteInserted::IdTaken);
    assert_eq!(
        store.list(NOW.plus_secs(99)).await.unwrap(),
        [first, second.clone()]
    );
    assert_eq!(store.list(NOW.plus_secs(100)).await.unwrap(), [second]);
}

async fn an_entry_needs_the_others_of_its_site_as_they_were_read(store: &dyn SiteStore) {
    let third = record("c", 300);
    let later = NOW.plus_secs(100);
    for read in [ids([]), ids(["b"]), ids(["a", "b"]), ids(["b", "a"])] {
        let stale = store.insert(&third, &read, later).await.unwrap();
        assert_eq!(stale, SiteInserted::Stale, "{read:?}");
    }
    let elsewhere = SiteRecord {
        origin: "https://shop.localhost:9445".to_owned(),
        ..record("d", 300)
    };
    let done = store.insert(&elsewhere, &[], later).await.unwrap();
    assert_eq!(done, SiteInserted::Done);
    let done = store.insert(&third, &ids(["a"]), later).await.unwrap();
    assert_eq!(done, SiteInserted::Done);
}

async fn of_racing_entries_of_one_site_exactly_one_is_done(
    one: Arc<dyn SiteStore>,
    two: Arc<dyn SiteStore>,
) {
    for round in 0..20_u32 {
        let of_round = |id: &str| SiteRecord {
            origin: format!("https://site-{round}.localhost:9443"),
            ..record(&format!("{id}{round}"), 300)
        };
        let attempt = |store: &Arc<dyn SiteStore>, record: SiteRecord| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.insert(&record, &[], NOW).await.unwrap() })
        };
        let (left, right) =
            tokio::join!(attempt(&one, of_round("l")), attempt(&two, of_round("r")));
        let outcomes = [left.unwrap(), right.unwrap()];
        assert!(outcomes.contains(&SiteInserted::Done), "{outcomes:?}");
        assert!(outcomes.contains(&SiteInserted::Stale), "{outcomes:?}");
    }
}
