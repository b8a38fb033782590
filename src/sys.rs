//! What the standard library lacks, by foreign functions of the C library: the only unsafe code.

#![expect(
    unsafe_code,
    reason = "std has no resource limits, no signals, few socket options and no single write that does not wait"
)]

mod constants;

use std::ffi::{c_int, c_void};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::ptr;
use std::thread;
use std::time::Duration;

use self::constants::{
    FileCount, MSG_DONTWAIT, MSG_NOSIGNAL, RLIMIT_AS, RLIMIT_NOFILE, SIG_BLOCK, SIG_UNBLOCK, SO_KEEPALIVE, SOL_SOCKET,
    TCOFLUSH, TCOOFF, TCOON, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_USER_TIMEOUT,
};
pub(crate) use self::constants::{O_NONBLOCK, OTHER_SIGNALS, REAL_TIME_SIGNALS, SIGCONT, SIGTSTP, SIGUSR1, SIGUSR2};
use crate::limits;

#[cfg(not(all(target_pointer_width = "64", any(target_os = "linux", target_os = "macos", target_os = "freebsd"))))]
compile_error!("Parley runs on Linux, macOS and FreeBSD, on processors of 64 bits");

#[cfg(all(target_os = "linux", any(target_arch = "mips64", target_arch = "mips64r6", target_arch = "sparc64")))]
compile_error!("Linux has other constants on this processor: add them to src/sys/constants.rs");

pub(crate) const SIGINT: c_int = 2;
pub(crate) const SIGQUIT: c_int = 3;
pub(crate) const SIGTERM: c_int = 15;
pub(crate) const SIGHUP: c_int = 1;
pub(crate) const SIGALRM: c_int = 14;
pub(crate) const SIGTTIN: c_int = 21;
pub(crate) const SIGWINCH: c_int = 28;

const IPPROTO_TCP: c_int = 6;
const POLLIN: i16 = 1;
const SIG_IGN: usize = 1;

unsafe extern "C" {
    fn getrlimit(resource: c_int, limit: *mut ResourceLimit) -> c_int;
    fn setrlimit(resource: c_int, limit: *const ResourceLimit) -> c_int;
    fn listen(socket: c_int, backlog: c_int) -> c_int;
    fn poll(files: *mut PollFile, count: FileCount, timeout: c_int) -> c_int;
    fn send(socket: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
    fn setsockopt(socket: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    fn tcflow(terminal: c_int, action: c_int) -> c_int;
    fn tcflush(terminal: c_int, queue: c_int) -> c_int;
    fn tcgetpgrp(terminal: c_int) -> c_int;
    fn tcgetattr(terminal: c_int, modes: *mut TerminalModes) -> c_int;
    fn tcsetattr(terminal: c_int, when: c_int, modes: *const TerminalModes) -> c_int;
    fn getpgrp() -> c_int;
    fn getsid(process: c_int) -> c_int;
    fn raise(signal: c_int) -> c_int;
    fn sigaction(signal: c_int, new: *const RawSignalAction, old: *mut RawSignalAction) -> c_int;
    fn sigemptyset(set: *mut RawSignalSet) -> c_int;
    fn sigaddset(set: *mut RawSignalSet, signal: c_int) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const RawSignalSet, old: *mut RawSignalSet) -> c_int;
    fn sigwait(set: *const RawSignalSet, signal: *mut c_int) -> c_int;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn malloc_trim(pad: usize) -> c_int;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn mallopt(parameter: c_int, value: c_int) -> c_int;
}

/// `struct rlimit`: two `rlim_t`, which have 64 bits on every system that we compile for.
#[repr(C)]
struct ResourceLimit {
    soft: u64,
    hard: u64,
}

fn resource_limit(resource: c_int) -> io::Result<ResourceLimit> {
    let mut limit = ResourceLimit { soft: 0, hard: 0 };
    // SAFETY: `limit` has the layout of `struct rlimit` and outlives the call, which writes it.
    check(unsafe { getrlimit(resource, &raw mut limit) })?;
    Ok(limit)
}

/// Lets the process open as many files as the system allows it, where the default allows fewer. Every connection needs
/// two; the usual default of 1,024 is meant for programs that still use `select`. Nothing changes where it cannot.
pub fn raise_open_files() {
    if let Ok(limit) = resource_limit(RLIMIT_NOFILE) {
        let raised = ResourceLimit { soft: limit.hard, ..limit };
        // SAFETY: `raised` has the layout of `struct rlimit` and outlives the call, which reads it.
        unsafe { setrlimit(RLIMIT_NOFILE, &raw const raised) };
    }
}

pub(crate) fn max_open_files() -> io::Result<usize> {
    Ok(resource_limit(RLIMIT_NOFILE)?.soft as usize)
}

/// Gives memory that is free back to the system, which glibc keeps otherwise once much of it was in use.
pub fn release_memory() {
    // SAFETY: it takes no pointer, and may be called whatever other threads do.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        malloc_trim(0);
    }
}

/// Has all threads allocate from one heap where the address space is limited, which each heap of glibc takes 64 MiB of. To
/// be called before there is a second thread.
pub fn save_address_space() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if max_address_space().is_ok_and(|limit| limit < usize::MAX) {
        const M_ARENA_MAX: c_int = -8;
        // SAFETY: it takes no pointer, and there is no other thread.
        unsafe { mallopt(M_ARENA_MAX, 1) };
    }
}

/// Returns how many bytes of address space the process may have.
pub(crate) fn max_address_space() -> io::Result<usize> {
    Ok(resource_limit(RLIMIT_AS)?.soft as usize)
}

/// Makes the queue of connections that wait for `accept` longer than the 128 of the standard library, so that none of a
/// crowd that comes at once has to send its SYN again a second later. On an error the queue is as long as it was.
pub(crate) fn lengthen_accept_queue(listener: &TcpListener, length: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `listener` is borrowed; to listen again only changes the length.
    check(unsafe { listen(listener.as_raw_fd(), length) })
}

/// A stream that takes what there is room for, and then reports [`io::ErrorKind::WouldBlock`] instead of waiting for its
/// write timeout. Others who use the same stream still wait.
pub(crate) struct WithoutWaiting<'a>(pub(crate) &'a TcpStream);

impl Write for WithoutWaiting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        // SAFETY: the descriptor is open as long as the stream is borrowed, and the call reads no more than these bytes.
        let sent = unsafe { send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[repr(C)]
struct PollFile {
    file: c_int,
    wanted: i16,
    found: i16,
}

/// Returns whether a read would not wait. How the connection broke, if it did, is left for that read to tell.
pub(crate) fn has_input(stream: &TcpStream) -> bool {
    let mut file = PollFile { file: stream.as_raw_fd(), wanted: POLLIN, found: 0 };
    // SAFETY: `file` has the layout of `struct pollfd` and outlives the call.
    unsafe { poll(&raw mut file, 1, 0) > 0 }
}

/// Has the system detect a peer that has vanished: it probes a silent peer, and gives up a peer that acknowledges nothing, or
/// takes nothing, for the time `unacknowledged`.
pub(crate) fn keep_alive(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    let seconds = c_int::try_from(unacknowledged.as_secs()).unwrap_or(c_int::MAX);
    let user_timeout = TCP_USER_TIMEOUT.map(|(name, unit)| (IPPROTO_TCP, name, seconds.saturating_mul(unit)));
    let options = [
        (IPPROTO_TCP, TCP_KEEPIDLE, limits::KEEPALIVE_IDLE),
        (IPPROTO_TCP, TCP_KEEPINTVL, limits::KEEPALIVE_INTERVAL),
        (IPPROTO_TCP, TCP_KEEPCNT, limits::KEEPALIVE_PROBES),
        (SOL_SOCKET, SO_KEEPALIVE, 1),
    ];
    for (level, name, value) in options.into_iter().chain(user_timeout) {
        // SAFETY: the descriptor is open as long as `stream` is borrowed, and `value` is the int that each of these
        // options takes, with its length.
        check(unsafe { setsockopt(stream.as_raw_fd(), level, name, (&raw const value).cast(), 4) })?;
    }
    Ok(())
}

/// Whether the terminal on standard input is this program's at the moment. It always is where it is not the one by which
/// jobs are controlled.
pub(crate) fn is_in_foreground() -> bool {
    // SAFETY: neither takes a pointer.
    let (foreground, own) = unsafe { (tcgetpgrp(0), getpgrp()) };
    foreground == -1 || foreground == own
}

/// Drops what was written to the terminal on standard output and has not been shown there, so that it takes more at once.
/// Returns whether there is one that can be told so.
pub(crate) fn discard_terminal_output() -> bool {
    // Linux does not tell a blocked write that there is room again, but that it may go on.
    // SAFETY: none takes a pointer.
    is_in_foreground() && unsafe { tcflush(1, TCOFLUSH) | tcflow(1, TCOOFF) | tcflow(1, TCOON) } == 0
}

/// Whether a shell that controls jobs, as people use one, has started this program on the terminal on standard input.
pub(crate) fn is_job() -> bool {
    // SAFETY: none takes a pointer.
    unsafe { tcgetpgrp(0) == getpgrp() && getpgrp() != getsid(0) }
}

/// The modes of the terminal on standard input: the C library's `struct termios`, of at most 72 bytes, of which nobody here
/// needs to know more.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct TerminalModes([u8; 256]);

impl TerminalModes {
    pub(crate) fn get() -> io::Result<Self> {
        let mut modes = Self([0; 256]);
        // SAFETY: `modes` is larger than any `struct termios` and outlives the call, which writes it.
        check(unsafe { tcgetattr(0, &raw mut modes) })?;
        Ok(modes)
    }

    /// Sets them at once. `stty` would wait until all is shown that was written, and so for ever on a terminal that is halted.
    pub(crate) fn set(&self) -> io::Result<()> {
        const TCSANOW: c_int = 0;
        // SAFETY: what `get` has initialised outlives the call, which reads it.
        check(unsafe { tcsetattr(0, TCSANOW, &raw const *self) })
    }
}

/// The C library's `struct sigaction`: at most 152 bytes, of which the handler comes first.
#[repr(C)]
struct RawSignalAction {
    handler: usize,
    rest: [u64; 31],
}

/// Whether this signal does nothing to the process.
pub(crate) fn is_ignored(signal: c_int) -> bool {
    let mut action = RawSignalAction { handler: 0, rest: [0; 31] };
    // SAFETY: `action` is larger than any `struct sigaction` and outlives the call, which writes it; a null pointer for the
    // new action changes nothing.
    let status = unsafe { sigaction(signal, ptr::null(), &raw mut action) };
    status == 0 && action.handler == SIG_IGN
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
        check(unsafe { pthread_sigmask(how, &raw const *self, ptr::null_mut()) })
    }
}

/// Sends this thread a signal that is blocked, and lets it do what it does to a program that has not blocked it.
pub(crate) fn raise_default(signal: c_int) -> io::Result<()> {
    let set = RawSignalSet::of(&[signal])?;
    set.apply(SIG_UNBLOCK)?;
    // SAFETY: it takes no pointer, and no handler of ours runs.
    let raised = check(unsafe { raise(signal) });
    set.apply(SIG_BLOCK)?;
    raised
}

/// Signals that this thread, and every thread it starts from now on, no longer receives: they wait for
/// [`BlockedSignals::wait`].
pub(crate) struct BlockedSignals(RawSignalSet);

impl BlockedSignals {
    /// Blocks these signals. To be called before there is a second thread, which would still receive them.
    pub(crate) fn block(signals: &[c_int]) -> io::Result<Self> {
        let set = RawSignalSet::of(signals)?;
        set.apply(SIG_BLOCK)?;
        Ok(Self(set))
    }

    /// Waits for one of them, and takes it.
    pub(crate) fn wait(&self) -> io::Result<c_int> {
        let mut signal = 0;
        // SAFETY: the set is initialised, and `signal` outlives the call, which writes it.
        check(unsafe { sigwait(&raw const self.0, &raw mut signal) })?;
        Ok(signal)
    }

    /// Receives them in this thread for good: they do to the process what they always do.
    pub(crate) fn receive(&self) {
        if self.0.apply(SIG_UNBLOCK).is_ok() {
            loop {
                thread::park();
            }
        }
    }
}

fn check(status: c_int) -> io::Result<()> {
    match status {
        0 => Ok(()),
        -1 => Err(io::Error::last_os_error()),
        // The calls for threads return their error; but musl's `sigwait` sets it.
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Signal;
    use std::io::Read;

    #[test]
    fn who_looks_for_input_leaves_it_and_a_reset_to_be_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let connect = || TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let (mut client, (mut stream, _)) = (connect(), listener.accept().expect("it has come"));
        assert!(!has_input(&stream));
        assert_eq!(client.write(b"x").expect("there is room"), 1);
        while !has_input(&stream) {
            thread::yield_now();
        }
        assert_eq!(stream.read(&mut [0; 2]).expect("it has come"), 1);
        // A close with unread input is a reset.
        assert_eq!(stream.write(b"y").expect("there is room"), 1);
        assert_eq!(client.peek(&mut [0]).expect("it has come"), 1);
        drop(client);
        while !has_input(&stream) {
            thread::yield_now();
        }
        let error = stream.read(&mut [0]).expect_err("it is reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn the_system_takes_every_option_and_tells_its_limits() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        lengthen_accept_queue(&listener, 4096).expect("it listens");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        keep_alive(&stream, limits::UNACKNOWLEDGED_TIMEOUT).expect("every option is known");
        if let Some((name, unit)) = TCP_USER_TIMEOUT {
            let (mut value, mut size): (c_int, c_int) = (0, 4);
            // SAFETY: the descriptor is open, and the call writes an int, and its length, to where there is room for them.
            let status =
                unsafe { getsockopt(stream.as_raw_fd(), IPPROTO_TCP, name, (&raw mut value).cast(), &raw mut size) };
            assert_eq!((status, value), (0, 90 * unit));
        }
        assert!(max_open_files().expect("a limit") > 3);
    }

    #[test]
    fn what_is_ignored_is_known() {
        assert!(is_ignored(SIGPIPE), "the standard library ignores it");
        assert!(!Signal::Terminate.is_ignored());
    }

    const SIGPIPE: c_int = 13;

    unsafe extern "C" {
        fn getsockopt(socket: c_int, level: c_int, name: c_int, value: *mut c_void, size: *mut c_int) -> c_int;
    }
}
