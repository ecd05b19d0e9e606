//! Why a store could not answer.

use std::error::Error;

/// A failure of the store itself; what callers must decide on is in each answer's own enum.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the store failed")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
    /// A stored value does not have its documented form.
    #[error("the stored {0} is damaged")]
    Damaged(&'static str),
    /// The file was written by a newer version of this program.
    #[error("the store has version {found}, this program knows versions up to {known}")]
    TooNew {
        /// Version in the file.
        found: usize,
        /// Newest version known here.
        known: usize,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Backend(Box::new(error))
    }
}
