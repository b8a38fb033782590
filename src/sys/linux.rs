//! The constants of Linux.

use std::ffi::{c_int, c_ulong};
use std::ops::Range;

/// `nfds_t`.
pub(super) type FileCount = c_ulong;

/// Illegal instruction, trap, abort, bus error, arithmetic, bad address, stack fault, both limits, both other timers, input
/// and output, power, bad call.
pub(crate) const OTHER_SIGNALS: &[u8] = &[4, 5, 6, 7, 8, 11, 16, 24, 25, 26, 27, 29, 30, 31];
/// Those before belong to the C library.
pub(crate) const REAL_TIME_SIGNALS: Range<u8> = if cfg!(target_env = "musl") { 35..65 } else { 34..65 };
pub(crate) const SIGUSR1: c_int = 10;
pub(crate) const SIGUSR2: c_int = 12;
pub(crate) const SIGTSTP: c_int = 20;
pub(crate) const SIGCONT: c_int = 18;
pub(crate) const O_NONBLOCK: c_int = 0o4000;
pub(super) const SIG_BLOCK: c_int = 0;
pub(super) const SIG_UNBLOCK: c_int = 1;
pub(super) const RLIMIT_NOFILE: c_int = 7;
pub(super) const RLIMIT_AS: c_int = 9;
pub(super) const TCOFLUSH: c_int = 1;
pub(super) const TCOOFF: c_int = 0;
pub(super) const TCOON: c_int = 1;
pub(super) const MSG_DONTWAIT: c_int = 0x40;
pub(super) const MSG_NOSIGNAL: c_int = 0x4000;
pub(super) const SOL_SOCKET: c_int = 1;
pub(super) const SO_KEEPALIVE: c_int = 9;
pub(super) const TCP_KEEPIDLE: c_int = 4;
pub(super) const TCP_KEEPINTVL: c_int = 5;
pub(super) const TCP_KEEPCNT: c_int = 6;
/// The option, and how many of its unit a second has.
pub(super) const TCP_USER_TIMEOUT: Option<(c_int, c_int)> = Some((18, 1000));
