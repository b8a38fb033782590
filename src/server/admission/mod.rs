//! Who may come in: what the machine can bear, and the places of those who are not in the room.

pub(crate) mod capacity;
pub(crate) mod places;
