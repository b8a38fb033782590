//! Who may come in: what the machine can bear, and the places of those who are not logged in.

pub(crate) mod capacity;
pub(crate) mod lobby;
