//! What the standard library lacks, by foreign functions of the C library: the only unsafe code.

#![expect(
    unsafe_code,
    reason = "std has no resource limits, no signals, few socket options and no single write that does not wait"
)]

use std::ffi::c_int;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::ptr;

/// Interrupt from the keyboard: Ctrl-C.
pub const SIGINT: c_int = 2;
/// Quit from the keyboard: Ctrl-\\.
pub const SIGQUIT: c_int = 3;
/// A request to end.
pub const SIGTERM: c_int = 15;
/// The terminal is gone.
pub const SIGHUP: c_int = 1;
/// Suspend from the keyboard: Ctrl-Z.
pub const SIGTSTP: c_int = if cfg!(target_os = "linux") { 20 } else { 18 };
/// Go on after that.
pub const SIGCONT: c_int = if cfg!(target_os = "linux") { 18 } else { 19 };
/// Reading from a terminal that belongs to others at the moment.
pub const SIGTTIN: c_int = 21;
/// The terminal has another size.
pub const SIGWINCH: c_int = 28;

/// Lets the process open as many files as the system allows it, where the default allows fewer. Every connection needs
/// two; the usual default of 1,024 is meant for programs that still use `select`. Nothing changes where it cannot.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub fn raise_open_files() {
    use std::ffi::c_ulong;

    #[repr(C)]
    struct Limit {
        soft: c_ulong,
        hard: c_ulong,
    }

    unsafe extern "C" {
        fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
        fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    }

    const RLIMIT_NOFILE: c_int = 7;

    let mut limit = Limit { soft: 0, hard: 0 };
    // SAFETY: `limit` has the layout of `struct rlimit` (two `rlim_t`, which is an unsigned long) and outlives both calls,
    // which do nothing but read or write it.
    unsafe {
        if getrlimit(RLIMIT_NOFILE, &raw mut limit) == 0 && limit.soft < limit.hard {
            limit.soft = limit.hard;
            setrlimit(RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Nothing to do on this system.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn raise_open_files() {}

/// Makes the queue of connections that wait for `accept` longer than the 128 of the standard library, so that none of a
/// crowd that comes at once has to send its SYN again a second later.
///
/// # Errors
///
/// When the system refuses; then the queue is as long as it was.
pub fn lengthen_accept_queue(listener: &TcpListener, length: c_int) -> io::Result<()> {
    unsafe extern "C" {
        fn listen(socket: c_int, backlog: c_int) -> c_int;
    }
    // SAFETY: the descriptor is open as long as `listener` is borrowed; to listen again only changes the length.
    check(unsafe { listen(listener.as_raw_fd(), length) })
}

/// A stream that takes what there is room for, and then reports [`io::ErrorKind::WouldBlock`] instead of waiting for its
/// write timeout. Others who use the same stream still wait.
pub struct WithoutWaiting<'a>(pub &'a TcpStream);

impl Write for WithoutWaiting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use std::ffi::c_void;

        unsafe extern "C" {
            fn send(socket: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
        }

        const MSG_DONTWAIT: c_int = if cfg!(target_os = "linux") { 0x40 } else { 0x80 };

        // SAFETY: the descriptor is open as long as the stream is borrowed, and the call reads no more than these bytes. A
        // broken connection is an error, and no signal, as Rust programs ignore SIGPIPE.
        let sent = unsafe { send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), MSG_DONTWAIT) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has the system probe a silent peer, so that one that vanished without a word is found out: `idle` seconds after it was
/// last heard of, and then `probes` times, `interval` seconds apart.
///
/// # Errors
///
/// When the system refuses.
#[cfg(target_os = "linux")]
pub fn keep_alive(stream: &TcpStream, idle: c_int, interval: c_int, probes: c_int) -> io::Result<()> {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn setsockopt(socket: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    }

    const SOL_SOCKET: c_int = 1;
    const SO_KEEPALIVE: c_int = 9;
    const IPPROTO_TCP: c_int = 6;
    const TCP_KEEPIDLE: c_int = 4;
    const TCP_KEEPINTVL: c_int = 5;
    const TCP_KEEPCNT: c_int = 6;

    for (level, name, value) in [
        (IPPROTO_TCP, TCP_KEEPIDLE, idle),
        (IPPROTO_TCP, TCP_KEEPINTVL, interval),
        (IPPROTO_TCP, TCP_KEEPCNT, probes),
        (SOL_SOCKET, SO_KEEPALIVE, 1),
    ] {
        // SAFETY: the descriptor is open as long as `stream` is borrowed, and `value` is the int that each of these
        // options takes, with its length.
        check(unsafe { setsockopt(stream.as_raw_fd(), level, name, (&raw const value).cast(), 4) })?;
    }
    Ok(())
}

/// Nothing to do on this system.
#[cfg(not(target_os = "linux"))]
pub fn keep_alive(_stream: &TcpStream, _idle: c_int, _interval: c_int, _probes: c_int) -> io::Result<()> {
    Ok(())
}

/// The C library's `sigset_t`: 128 bytes in glibc and musl, fewer elsewhere.
#[repr(C, align(8))]
struct RawSignalSet([u8; 128]);

impl RawSignalSet {
    fn of(signals: &[c_int]) -> io::Result<Self> {
        let mut set = Self([0; 128]);
        // SAFETY: `set` is as large and as aligned as any `sigset_t` and is emptied before anything else looks at it; no
        // call keeps a pointer.
        unsafe {
            check(sigemptyset(&raw mut set))?;
            for signal in signals {
                check(sigaddset(&raw mut set, *signal))?;
            }
        }
        Ok(set)
    }

    /// Blocks these signals in this thread, or unblocks them.
    fn apply(&self, how: c_int) -> io::Result<()> {
        // SAFETY: the set is initialised and outlives the call. A null pointer for the old mask is allowed.
        match unsafe { pthread_sigmask(how, &raw const *self, ptr::null_mut()) } {
            0 => Ok(()),
            // It returns its error instead of setting the thread's.
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Sends this thread a signal that is blocked, and lets it do what it does to a program that has not blocked it.
///
/// # Errors
///
/// When the system refuses.
pub fn raise_default(signal: c_int) -> io::Result<()> {
    let set = RawSignalSet::of(&[signal])?;
    set.apply(SIG_UNBLOCK)?;
    // SAFETY: it takes no pointer, and no handler of ours runs.
    let raised = check(unsafe { raise(signal) });
    set.apply(SIG_BLOCK)?;
    raised
}

unsafe extern "C" {
    fn raise(signal: c_int) -> c_int;
    fn sigemptyset(set: *mut RawSignalSet) -> c_int;
    fn sigaddset(set: *mut RawSignalSet, signal: c_int) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const RawSignalSet, old: *mut RawSignalSet) -> c_int;
    fn sigwait(set: *const RawSignalSet, signal: *mut c_int) -> c_int;
}

const SIG_BLOCK: c_int = if cfg!(target_os = "linux") { 0 } else { 1 };
const SIG_UNBLOCK: c_int = SIG_BLOCK + 1;

/// Signals that this thread, and every thread it starts from now on, no longer receives: they wait for
/// [`BlockedSignals::wait`].
pub struct BlockedSignals(RawSignalSet);

impl BlockedSignals {
    /// Blocks these signals. To be called before there is a second thread, which would still receive them.
    ///
    /// # Errors
    ///
    /// When one of them is no signal.
    pub fn block(signals: &[c_int]) -> io::Result<Self> {
        let set = RawSignalSet::of(signals)?;
        set.apply(SIG_BLOCK)?;
        Ok(Self(set))
    }

    /// Waits for one of them, and takes it.
    ///
    /// # Errors
    ///
    /// When the system refuses to wait.
    pub fn wait(&self) -> io::Result<c_int> {
        let mut signal = 0;
        // SAFETY: the set is initialised, and `signal` outlives the call, which writes it.
        let status = unsafe { sigwait(&raw const self.0, &raw mut signal) };
        if status == 0 { Ok(signal) } else { Err(io::Error::from_raw_os_error(status)) }
    }
}

fn check(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
