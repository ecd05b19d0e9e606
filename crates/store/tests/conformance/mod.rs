//! What every backend must do. Each `all` takes handles to one empty store.

pub(crate) mod register;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod trustee;
