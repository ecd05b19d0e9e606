//! Stores that remember nothing, so that an input has the same fate every time.

use async_trait::async_trait;
use credential::time::{Day, Epoch, UnixTime};
use store::{
    Consumed, Evaluation, EvaluationRecord, Inserted, NewCode, NewTag, NewToken, NonceInserted,
    RateLimit, Redemption, RegisterId, RegisterRow, RegisterStore, ReviewId, ReviewTag, SecretHash,
    SessionId, SessionStore, StoreError, TagIndex, TagMatch, TrusteeStore, UnlockHash, Updated,
};

pub(crate) struct Forgetful;

#[async_trait]
impl SessionStore for Forgetful {
    async fn insert_code(&self, _: NewCode) -> Result<(), StoreError> {
        Ok(())
    }

    async fn redeem_code(
        &self,
        _: SecretHash,
        _: UnlockHash,
        _: NewToken,
        _: UnixTime,
    ) -> Result<Redemption, StoreError> {
        Ok(Redemption::InvalidCode)
    }

    async fn find_token(
        &self,
        _: SecretHash,
        _: UnixTime,
    ) -> Result<Option<SessionId>, StoreError> {
        Ok(None)
    }

    async fn insert_nonce(
        &self,
        _: SecretHash,
        _: UnixTime,
        _: u64,
    ) -> Result<NonceInserted, StoreError> {
        Ok(NonceInserted::Done)
    }

    async fn consume_nonce(&self, _: SecretHash, _: UnixTime) -> Result<Consumed, StoreError> {
        Ok(Consumed::First)
    }

    async fn insert_jti(&self, _: SecretHash, _: UnixTime) -> Result<Consumed, StoreError> {
        Ok(Consumed::First)
    }

    async fn forget_session(&self, _: SessionId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget_expired(&self, _: UnixTime) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Holds one row: whatever is asked for, of the device whose key has this thumbprint.
pub(crate) struct OneRow(pub(crate) [u8; 32]);

#[async_trait]
impl RegisterStore for OneRow {
    async fn find(&self, id: RegisterId) -> Result<Option<RegisterRow>, StoreError> {
        Ok(Some(RegisterRow {
            id,
            commitment: [0; 48],
            slot_commitment: [0; 48],
            generation: 1,
            status: store::RowStatus::Active,
            last_epoch: crate::world::NOW.epoch(),
            device_key_hash: self.0,
        }))
    }

    async fn find_by_tags(&self, _: &[TagIndex]) -> Result<TagMatch, StoreError> {
        Ok(TagMatch::None)
    }

    async fn find_review(&self, _: TagIndex) -> Result<Option<ReviewId>, StoreError> {
        Ok(None)
    }

    async fn insert(
        &self,
        _: &RegisterRow,
        _: &[NewTag],
        _: Option<&ReviewTag>,
    ) -> Result<Inserted, StoreError> {
        Ok(Inserted::Done)
    }

    async fn update(
        &self,
        _: &RegisterRow,
        _: &RegisterRow,
        _: &[NewTag],
        _: Option<&ReviewTag>,
    ) -> Result<Updated, StoreError> {
        Ok(Updated::Done)
    }

    async fn raise_last_epochs(&self, _: Epoch) -> Result<usize, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl TrusteeStore for Forgetful {
    async fn record(
        &self,
        _: &Evaluation,
        _: RateLimit,
        _: UnixTime,
    ) -> Result<EvaluationRecord, StoreError> {
        Ok(EvaluationRecord::Recorded)
    }

    async fn count_by_day(&self) -> Result<Vec<(Day, u64)>, StoreError> {
        Ok(Vec::new())
    }

    async fn forget_expired(&self, _: UnixTime) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The outcome of a future that waits for nothing but the stores above.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => unreachable!("these stores answer at once"),
    }
}
