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

pub(crate) async fn all(store: &dyn SiteStore) {
    let (first, second) = (record("b", 100), record("a", 200));
    assert_eq!(store.list(NOW).await.unwrap(), []);
    assert_eq!(store.insert(&first).await.unwrap(), SiteInserted::Done);
    assert_eq!(store.insert(&second).await.unwrap(), SiteInserted::Done);
    assert_eq!(store.insert(&first).await.unwrap(), SiteInserted::Done);
    assert_eq!(
        store.list(NOW).await.unwrap(),
        [first.clone(), second.clone()]
    );
    let other = SiteRecord {
        entry: "x".to_owned(),
        ..first.clone()
    };
    assert_eq!(store.insert(&other).await.unwrap(), SiteInserted::IdTaken);
    assert_eq!(
        store.list(NOW.plus_secs(99)).await.unwrap(),
        [first, second.clone()]
    );
    assert_eq!(store.list(NOW.plus_secs(100)).await.unwrap(), [second]);
}
