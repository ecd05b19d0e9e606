use std::sync::Arc;

use credential::time::Epoch;
use store::{
    Inserted, NewTag, RegisterId, RegisterRow, RegisterStore, ReviewId, ReviewTag, RowStatus,
    TagIndex, TagKind, TagMatch, Updated,
};

pub(crate) fn row(n: u8) -> RegisterRow {
    RegisterRow {
        id: RegisterId([n; 16]),
        commitment: [n; 48],
        slot_commitment: [n ^ 0xff; 48],
        generation: 1,
        status: RowStatus::Active,
        last_epoch: Epoch(2950),
        device_key_hash: [n; 32],
    }
}

pub(crate) fn tag(n: u8) -> NewTag {
    NewTag {
        index: TagIndex([n; 32]),
        kind: TagKind::DocumentNumber,
        sealed: vec![n; 60],
    }
}

pub(crate) async fn all(one: Arc<dyn RegisterStore>, two: Arc<dyn RegisterStore>) {
    a_row_is_found_by_id_and_by_any_of_its_tags(&*one).await;
    a_repeated_insert_is_done_once(&*one).await;
    a_taken_id_or_tag_leaves_nothing_behind(&*one).await;
    an_update_needs_the_row_as_it_was_read(&*one).await;
    an_update_adds_tags_and_never_takes_one_from_another_row(&*one).await;
    a_review_tag_leads_to_the_first_review_and_to_no_row(&*one).await;
    last_epochs_are_raised_and_never_lowered(&*one).await;
    of_racing_inserts_of_one_tag_exactly_one_is_done(one.clone(), two.clone()).await;
    of_racing_updates_of_one_row_exactly_one_is_done(one, two).await;
}

async fn a_row_is_found_by_id_and_by_any_of_its_tags(store: &dyn RegisterStore) {
    let person = NewTag {
        kind: TagKind::PersonNumber,
        ..tag(11)
    };
    assert_eq!(
        store
            .insert(&row(1), &[tag(10), person], None)
            .await
            .unwrap(),
        Inserted::Done
    );
    assert_eq!(store.find(row(1).id).await.unwrap(), Some(row(1)));
    assert_eq!(store.find(row(2).id).await.unwrap(), None);
    for tags in [vec![10], vec![11], vec![99, 11], vec![10, 11]] {
        let tags: Vec<_> = tags.into_iter().map(|n| TagIndex([n; 32])).collect();
        assert_eq!(
            store.find_by_tags(&tags).await.unwrap(),
            TagMatch::One(row(1))
        );
    }
    assert_eq!(
        store.find_by_tags(&[TagIndex([99; 32])]).await.unwrap(),
        TagMatch::None
    );
    assert_eq!(store.find_by_tags(&[]).await.unwrap(), TagMatch::None);
}

async fn a_repeated_insert_is_done_once(store: &dyn RegisterStore) {
    for _ in 0..2 {
        assert_eq!(
            store.insert(&row(2), &[tag(20)], None).await.unwrap(),
            Inserted::Done
        );
    }
    assert_eq!(store.find(row(2).id).await.unwrap(), Some(row(2)));
    let several = [TagIndex([10; 32]), TagIndex([20; 32])];
    assert_eq!(
        store.find_by_tags(&several).await.unwrap(),
        TagMatch::Several
    );
}

async fn a_review_tag_leads_to_the_first_review_and_to_no_row(store: &dyn RegisterStore) {
    let review = |n| ReviewTag {
        index: TagIndex([70; 32]),
        sealed: vec![70; 60],
        review: ReviewId([n; 16]),
    };
    let find = async || store.find_review(TagIndex([70; 32])).await.unwrap();
    assert_eq!(find().await, None);
    let insert = async |n, id| {
        let (row, review) = (row(n), review(id));
        store.insert(&row, &[tag(n)], Some(&review)).await.unwrap()
    };
    assert_eq!(insert(71, 1).await, Inserted::Done);
    assert_eq!(insert(71, 1).await, Inserted::Done);
    assert_eq!(insert(72, 2).await, Inserted::ReviewNeeded);
    assert_eq!(store.find(row(72).id).await.unwrap(), None);
    assert_eq!(insert(72, 1).await, Inserted::Done);
    let (row, third) = (row(72), review(3));
    let updated = store.update(&row, &row, &[], Some(&third)).await;
    assert_eq!(updated.unwrap(), Updated::Done);
    assert_eq!(find().await, Some(ReviewId([1; 16])));
    let tags = [TagIndex([70; 32])];
    assert_eq!(store.find_by_tags(&tags).await.unwrap(), TagMatch::None);
}

async fn a_taken_id_or_tag_leaves_nothing_behind(store: &dyn RegisterStore) {
    let other = RegisterRow {
        generation: 2,
        ..row(1)
    };
    assert_eq!(
        store.insert(&other, &[tag(30)], None).await.unwrap(),
        Inserted::IdTaken
    );
    assert_eq!(store.find(row(1).id).await.unwrap(), Some(row(1)));
    let taken = [tag(30), tag(10)];
    assert_eq!(
        store.insert(&row(3), &taken, None).await.unwrap(),
        Inserted::TagTaken
    );
    assert_eq!(store.find(row(3).id).await.unwrap(), None);
    assert_eq!(
        store.find_by_tags(&[TagIndex([30; 32])]).await.unwrap(),
        TagMatch::None
    );
}

async fn an_update_needs_the_row_as_it_was_read(store: &dyn RegisterStore) {
    assert_eq!(
        store.insert(&row(4), &[tag(40)], None).await.unwrap(),
        Inserted::Done
    );
    let next = RegisterRow {
        last_epoch: Epoch(2951),
        ..row(4)
    };
    for _ in 0..2 {
        assert_eq!(
            store.update(&row(4), &next, &[], None).await.unwrap(),
            Updated::Done
        );
    }
    assert_eq!(store.find(next.id).await.unwrap(), Some(next.clone()));
    let ended = RegisterRow {
        status: RowStatus::Ended,
        ..row(4)
    };
    assert_eq!(
        store.update(&row(4), &ended, &[], None).await.unwrap(),
        Updated::Stale
    );
    assert_eq!(
        store.update(&row(50), &row(50), &[], None).await.unwrap(),
        Updated::Stale
    );
    let renamed = RegisterRow {
        id: RegisterId([51; 16]),
        ..next.clone()
    };
    assert_eq!(
        store.update(&next, &renamed, &[], None).await.unwrap(),
        Updated::Stale
    );
    let ended = RegisterRow {
        status: RowStatus::Ended,
        ..next.clone()
    };
    assert_eq!(
        store.update(&next, &ended, &[], None).await.unwrap(),
        Updated::Done
    );
    assert_eq!(store.find(next.id).await.unwrap(), Some(ended));
}

async fn an_update_adds_tags_and_never_takes_one_from_another_row(store: &dyn RegisterStore) {
    assert_eq!(
        store.insert(&row(6), &[tag(60)], None).await.unwrap(),
        Inserted::Done
    );
    let next = RegisterRow {
        device_key_hash: [66; 32],
        ..row(6)
    };
    let taken = [tag(61), tag(10)];
    assert_eq!(
        store.update(&row(6), &next, &taken, None).await.unwrap(),
        Updated::TagTaken
    );
    assert_eq!(store.find(row(6).id).await.unwrap(), Some(row(6)));
    assert_eq!(
        store.find_by_tags(&[TagIndex([61; 32])]).await.unwrap(),
        TagMatch::None
    );
    let more = [tag(60), tag(61)];
    assert_eq!(
        store.update(&row(6), &next, &more, None).await.unwrap(),
        Updated::Done
    );
    let found = store.find_by_tags(&[TagIndex([61; 32])]).await.unwrap();
    assert_eq!(found, TagMatch::One(next));
}

async fn last_epochs_are_raised_and_never_lowered(store: &dyn RegisterStore) {
    let ahead = RegisterRow {
        last_epoch: Epoch(2960),
        ..row(7)
    };
    let ended = RegisterRow {
        status: RowStatus::Ended,
        ..row(8)
    };
    for row in [&ahead, &ended] {
        assert_eq!(store.insert(row, &[], None).await.unwrap(), Inserted::Done);
    }
    assert_eq!(store.raise_last_epochs(Epoch(2940)).await.unwrap(), 0);
    assert_eq!(store.find(ended.id).await.unwrap(), Some(ended.clone()));
    assert!(store.raise_last_epochs(Epoch(2955)).await.unwrap() > 1);
    let raised = RegisterRow {
        last_epoch: Epoch(2955),
        ..ended
    };
    assert_eq!(store.find(raised.id).await.unwrap(), Some(raised));
    assert_eq!(store.find(ahead.id).await.unwrap(), Some(ahead));
    assert_eq!(store.raise_last_epochs(Epoch(2955)).await.unwrap(), 0);
}

async fn of_racing_inserts_of_one_tag_exactly_one_is_done(
    one: Arc<dyn RegisterStore>,
    two: Arc<dyn RegisterStore>,
) {
    for round in 0..20_u8 {
        let (a, b) = (row(100 + 2 * round), row(101 + 2 * round));
        let tags = [tag(100 + round)];
        let (left, right) = tokio::join!(
            tokio::spawn({
                let (store, row, tags) = (one.clone(), a.clone(), tags.clone());
                async move { store.insert(&row, &tags, None).await.unwrap() }
            }),
            tokio::spawn({
                let (store, row, tags) = (two.clone(), b.clone(), tags.clone());
                async move { store.insert(&row, &tags, None).await.unwrap() }
            }),
        );
        let winner = match (left.unwrap(), right.unwrap()) {
            (Inserted::Done, Inserted::TagTaken) => a.clone(),
            (Inserted::TagTaken, Inserted::Done) => b.clone(),
            outcome => panic!("{outcome:?}"),
        };
        let loser = if winner == a { b } else { a };
        assert_eq!(one.find(loser.id).await.unwrap(), None);
        let owner = two.find_by_tags(&[tags[0].index]).await.unwrap();
        assert_eq!(owner, TagMatch::One(winner));
    }
}

async fn of_racing_updates_of_one_row_exactly_one_is_done(
    one: Arc<dyn RegisterStore>,
    two: Arc<dyn RegisterStore>,
) {
    let mut current = row(90);
    assert_eq!(
        one.insert(&current, &[tag(90)], None).await.unwrap(),
        Inserted::Done
    );
    for round in 0..20_u32 {
        let a = RegisterRow {
            generation: 2 + 2 * round,
            ..current.clone()
        };
        let b = RegisterRow {
            generation: 3 + 2 * round,
            ..current.clone()
        };
        let (left, right) = tokio::join!(
            tokio::spawn({
                let (store, read, next) = (one.clone(), current.clone(), a.clone());
                async move { store.update(&read, &next, &[], None).await.unwrap() }
            }),
            tokio::spawn({
                let (store, read, next) = (two.clone(), current.clone(), b.clone());
                async move { store.update(&read, &next, &[], None).await.unwrap() }
            }),
        );
        current = match (left.unwrap(), right.unwrap()) {
            (Updated::Done, Updated::Stale) => a,
            (Updated::Stale, Updated::Done) => b,
            outcome => panic!("{outcome:?}"),
        };
        assert_eq!(one.find(current.id).await.unwrap(), Some(current.clone()));
    }
}
