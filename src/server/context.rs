//! What all connections of a server work with.

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Instant;

use super::capacity::Bounds;
use super::counters::Counters;
use super::rate_limit::{LimitedLog, RateLimit};
use super::registry::Registry;
use super::secret::Secret;
use super::settings::Settings;
use super::shutdown::Shutdown;
use super::sync::lock;
use super::trace::Traced;
use super::turns::Turns;
use crate::limits;
use crate::log::{Level, Log};

pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) bounds: Bounds,
    pub(crate) registry: RwLock<Registry>,
    pub(crate) secret: Secret,
    pub(crate) turns: Arc<Turns>,
    pub(crate) shutdown: Shutdown,
    pub(crate) counters: Counters,
    /// Where events of clients are reported, however many there are.
    pub(crate) events: Mutex<LimitedLog>,
    /// Logins and changes of names that are announced (G15).
    pub(crate) announcements: Mutex<RateLimit>,
    /// `None` where no lines are logged.
    pub(crate) traced: Option<Arc<Traced>>,
}

impl Context {
    pub(crate) fn new(settings: Settings, bounds: Bounds, log: &Log) -> Self {
        let registry = Registry::new(bounds.clients, settings.max_per_address, settings.echobot);
        let announcements = RateLimit::new(limits::ANNOUNCE_RATE, limits::ANNOUNCE_BURST, Instant::now());
        Self {
            bounds,
            registry: RwLock::new(registry),
            secret: Secret::new(settings.secret.clone()),
            turns: Arc::new(Turns::new(thread::available_parallelism().map_or(1, NonZero::get))),
            shutdown: Shutdown::default(),
            counters: Counters::default(),
            events: Mutex::new(LimitedLog::new(log.clone())),
            announcements: Mutex::new(announcements),
            traced: Traced::new(log, &settings.trace),
            settings,
        }
    }

    pub(crate) fn report(&self, level: Level, who: &dyn fmt::Display, text: fmt::Arguments<'_>) {
        lock(&self.events).event(level, who, text);
    }
}
