//! The client on a real terminal.

mod basics;
mod pastes;
mod people;
mod plain_terminal;
mod terminal_connection;
mod terminal_editing;
mod terminal_modes;
mod terminal_rows;
