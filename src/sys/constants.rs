//! The constants in which the systems differ.

use std::ffi::c_int;
use std::ops::Range;

const LINUX: bool = cfg!(target_os = "linux");
const MACOS: bool = cfg!(target_os = "macos");

const fn of(linux: c_int, macos: c_int, freebsd: c_int) -> c_int {
    match (LINUX, MACOS) {
        (true, _) => linux,
        (_, true) => macos,
        _ => freebsd,
    }
}

/// `nfds_t`.
#[cfg(target_os = "linux")]
pub(super) type FileCount = std::ffi::c_ulong;
#[cfg(not(target_os = "linux"))]
pub(super) type FileCount = std::ffi::c_uint;

/// Further signals that end a program, such as SIGABRT and SIGXCPU.
pub(crate) const OTHER_SIGNALS: &[u8] = if LINUX {
    &[4, 5, 6, 7, 8, 11, 16, 24, 25, 26, 27, 29, 30, 31]
} else {
    &[4, 5, 6, 7, 8, 10, 11, 12, 24, 25, 26, 27]
};
/// On Linux the C library keeps those before for itself.
pub(crate) const REAL_TIME_SIGNALS: Range<u8> = match (LINUX, MACOS) {
    (true, _) if cfg!(target_env = "musl") => 35..65,
    (true, _) => 34..65,
    (_, true) => 0..0,
    _ => 65..127,
};
pub(crate) const SIGUSR1: c_int = of(10, 30, 30);
pub(crate) const SIGUSR2: c_int = of(12, 31, 31);
pub(crate) const SIGTSTP: c_int = of(20, 18, 18);
pub(crate) const SIGCONT: c_int = of(18, 19, 19);
pub(crate) const O_NONBLOCK: c_int = of(0o4000, 4, 4);
pub(super) const SIG_BLOCK: c_int = of(0, 1, 1);
pub(super) const SIG_UNBLOCK: c_int = of(1, 2, 2);
pub(super) const RLIMIT_NOFILE: c_int = of(7, 8, 8);
pub(super) const RLIMIT_AS: c_int = of(9, 5, 10);
pub(super) const TCOFLUSH: c_int = of(1, 2, 2);
pub(super) const TCOOFF: c_int = of(0, 1, 1);
pub(super) const TCOON: c_int = of(1, 2, 2);
pub(super) const MSG_DONTWAIT: c_int = of(0x40, 0x80, 0x80);
/// On macOS std makes it a property of each socket.
pub(super) const MSG_NOSIGNAL: c_int = of(0x4000, 0, 0x0002_0000);
pub(super) const SOL_SOCKET: c_int = of(1, 0xffff, 0xffff);
pub(super) const SO_KEEPALIVE: c_int = of(9, 8, 8);
pub(super) const TCP_KEEPIDLE: c_int = of(4, 0x10, 256);
pub(super) const TCP_KEEPINTVL: c_int = of(5, 0x101, 512);
pub(super) const TCP_KEEPCNT: c_int = of(6, 0x102, 1024);
/// The option, and how many of its unit a second has. FreeBSD before 14 has nothing of the kind.
pub(super) const TCP_USER_TIMEOUT: Option<(c_int, c_int)> =
    if LINUX || MACOS { Some((of(18, 0x80, 0), of(1000, 1, 0))) } else { None };
