//! The constants that macOS and FreeBSD share, and those that they do not.

use std::ffi::{c_int, c_uint};
use std::ops::Range;

/// `nfds_t`.
pub(super) type FileCount = c_uint;

const IS_MACOS: bool = cfg!(target_os = "macos");

/// Illegal instruction, trap, abort, emulator, arithmetic, bus error, bad address, bad call, both limits, both other
/// timers.
pub(crate) const OTHER_SIGNALS: &[u8] = &[4, 5, 6, 7, 8, 10, 11, 12, 24, 25, 26, 27];
pub(crate) const REAL_TIME_SIGNALS: Range<u8> = if IS_MACOS { 0..0 } else { 65..127 };
pub(crate) const SIGUSR1: c_int = 30;
pub(crate) const SIGUSR2: c_int = 31;
pub(crate) const SIGTSTP: c_int = 18;
pub(crate) const SIGCONT: c_int = 19;
pub(crate) const O_NONBLOCK: c_int = 4;
pub(super) const SIG_BLOCK: c_int = 1;
pub(super) const SIG_UNBLOCK: c_int = 2;
pub(super) const RLIMIT_NOFILE: c_int = 8;
pub(super) const RLIMIT_AS: c_int = if IS_MACOS { 5 } else { 10 };
pub(super) const TCOFLUSH: c_int = 2;
pub(super) const TCOOFF: c_int = 1;
pub(super) const TCOON: c_int = 2;
pub(super) const MSG_DONTWAIT: c_int = 0x80;
/// On macOS std makes it a property of each socket.
pub(super) const MSG_NOSIGNAL: c_int = if IS_MACOS { 0 } else { 0x0002_0000 };
pub(super) const SOL_SOCKET: c_int = 0xffff;
pub(super) const SO_KEEPALIVE: c_int = 8;
pub(super) const TCP_KEEPIDLE: c_int = if IS_MACOS { 0x10 } else { 256 };
pub(super) const TCP_KEEPINTVL: c_int = if IS_MACOS { 0x101 } else { 512 };
pub(super) const TCP_KEEPCNT: c_int = if IS_MACOS { 0x102 } else { 1024 };
/// `TCP_RXT_CONNDROPTIME`, in seconds; FreeBSD before 14 has nothing of the kind.
pub(super) const TCP_USER_TIMEOUT: Option<(c_int, c_int)> = if IS_MACOS { Some((0x80, 1)) } else { None };
