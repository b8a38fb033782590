//! What an operator has: command lines, limits, the log, the counts, the end, and the source itself.

mod addresses;
mod cli;
mod counts;
mod install;
mod places;
mod shutdown;
mod soak;
mod tidy;
mod trace;
