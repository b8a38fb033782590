//! What tests need, these and the integration tests, which include the files by their paths.

pub(crate) mod random;
pub(crate) mod virtual_screen;
