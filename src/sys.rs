//! What the standard library lacks, by foreign functions of the C library: the only unsafe code.

/// Lets the process open as many files as the system allows it, where the default allows fewer. Every connection needs
/// two; the usual default of 1,024 is meant for programs that still use `select`. Nothing changes where it cannot.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std has no way to change a resource limit")]
pub fn raise_open_files() {
    use std::ffi::{c_int, c_ulong};

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
#[cfg(not(target_os = "linux"))]
pub fn raise_open_files() {}
