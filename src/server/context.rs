//! What all connections of a server work with.

use std::fmt;
use std::sync::{Arc, Mutex, RwLock};

use super::capacity::Bounds;
use super::delivery::sender::Shared;
use super::rate_limit::{LimitedLog, RateLimit};
use super::registry::Registry;
use super::secret::Secret;
use super::settings::Settings;
use super::sync::lock;
use super::trace::Traced;
use crate::log::Level;

pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) bounds: Bounds,
    pub(crate) registry: Arc<RwLock<Registry>>,
    pub(crate) secret: Secret,
    /// What senders have in common: turns, counters, whether the server is going away.
    pub(crate) shared: Arc<Shared>,
    /// Where events of clients are reported, however many there are.
    pub(crate) events: Mutex<LimitedLog>,
    /// Logins and changes of names that are announced (G15).
    pub(crate) announcements: Mutex<RateLimit>,
    /// `None` where no lines are logged.
    pub(crate) traced: Option<Arc<Traced>>,
}

impl Context {
    /// Reports an event of a client.
    pub(crate) fn report(&self, level: Level, who: &dyn fmt::Display, text: fmt::Arguments<'_>) {
        lock(&self.events).event(level, who, text);
    }
}
