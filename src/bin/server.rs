//! The chat server's program: reads its command line, binds, says so, serves.

use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use parley::cli::{self, Exit};
use parley::log::{Level, Log};
use parley::server::Server;
use parley::signals::{self, Signal};
use parley::{limits, net, program, sys};

fn main() -> ExitCode {
    let mut args = env::args_os();
    let program = cli::program_name(args.next().as_deref(), "server");
    let options = match cli::server::parse(&program, args) {
        Ok(options) => options,
        Err(Exit::Print(text)) => return program::print(&text),
        Err(Exit::Wrong(problem)) => return program::fail(2, &problem),
    };
    match run(options) {
        Ok(status) => status,
        Err(problem) => program::fail(1, &format_args!("{program}: {problem}")),
    }
}

/// What the main thread waits for.
enum Event {
    Signal(Signal),
    ShutDown,
}

fn run(options: cli::server::Options) -> Result<ExitCode, String> {
    sys::save_address_space();
    let (events, next_event) = mpsc::channel();
    let report = events.clone();
    signals::forward(&wanted_signals(), move |signal| report.send(Event::Signal(signal)).is_ok())
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    let log = Log::start(options.log_level, io::stderr()).map_err(no_thread)?;
    let panic_log = log.clone();
    panic::set_hook(Box::new(move |panic| panic_log.event(Level::Error, format_args!("internal error: {panic}"))));
    sys::raise_open_files();

    let (host, port) = (options.address.as_deref(), options.port());
    let logs_url = options.settings.dialect.is_some_and(|dialect| !dialect.has_fixed_port());
    // Only programs of this machine reach either, and `localhost` may stand for either.
    let loopback: [SocketAddr; 2] = [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
    let listening = match host {
        Some(host) => Server::bind((host, port), options.settings, log.clone()),
        None => Server::bind(&loopback[..], options.settings, log.clone()),
    };
    let listening = listening.and_then(|server| Ok((server.local_addrs()?, Arc::new(server))));
    let (addresses, server) =
        listening.map_err(|error| cannot_listen(host.unwrap_or(cli::DEFAULT_ADDRESS), port, &error))?;
    let address = addresses[0];
    log_how_to_connect(&log, &addresses, logs_url);
    server.start().map_err(no_thread)?;
    let counting = Arc::clone(&server);
    // Started now, as there may be no thread to be had when it is time; it begins when the sender is dropped.
    let (shut_down, told_to_shut_down) = mpsc::channel::<()>();
    start("shutdown", move || {
        let _ = told_to_shut_down.recv();
        server.shutdown();
        let _ = events.send(Event::ShutDown);
    })?;
    // On a thread of its own, as standard output may be a pipe that nobody reads; whoever closed it does not want to know.
    start("stdout", move || {
        drop(net::write_fully(&mut io::stdout(), format!("Server is on\nListening on {address}\n").as_bytes()));
    })?;

    let mut status = ExitCode::SUCCESS;
    let mut shut_down = Some(shut_down);
    loop {
        match next_event.recv_timeout(limits::HOUSEKEEPING) {
            Ok(Event::Signal(Signal::User1)) => counting.log_counts(),
            Ok(Event::Signal(signal @ (Signal::User2 | Signal::Alarm))) => {
                log.event(Level::Info, format_args!("{signal} means nothing here"));
            }
            Ok(Event::Signal(signal)) => {
                log.event(Level::Info, signal);
                if shut_down.take().is_none() {
                    status = ExitCode::FAILURE;
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => sys::release_memory(),
            Ok(Event::ShutDown) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    log.flush();
    Ok(status)
}

/// Logs the chat URL of the first address if it `logs_url`, and how clients on other machines connect.
fn log_how_to_connect(log: &Log, addresses: &[SocketAddr], logs_url: bool) {
    let address = addresses[0];
    if logs_url {
        log.event(Level::Info, format_args!("clients connect to chat://{address}"));
    }
    if let Some(ip) = address_for_others(addresses) {
        let port = address.port();
        log.event(Level::Info, format_args!("others connect with: client --address {ip} --port {port}"));
    }
}

/// Returns an address of this machine at which other machines reach the server, if it listens for them.
fn address_for_others(addresses: &[SocketAddr]) -> Option<IpAddr> {
    let reachable = |ip: &IpAddr| !ip.to_canonical().is_loopback();
    let ip = addresses.iter().map(SocketAddr::ip).find(reachable)?;
    if !ip.is_unspecified() {
        return Some(ip);
    }
    // Sends nothing: the system picks the address that a datagram to another network would come from.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(reachable)
}

/// Signals that end the server, and those that would if they were not taken; under `nohup` it lives on when its terminal
/// is gone.
fn wanted_signals() -> Vec<Signal> {
    let mut signals = vec![Signal::Interrupt, Signal::Terminate, Signal::User1, Signal::User2, Signal::Alarm];
    signals.extend(Some(Signal::HangUp).filter(|signal| !signal.is_ignored()));
    signals
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), String> {
    thread::Builder::new().name(String::from(name)).spawn(run).map(drop).map_err(no_thread)
}

fn no_thread(error: io::Error) -> String {
    format!("cannot start a thread: {error}")
}

fn cannot_listen(host: &str, port: u16, error: &io::Error) -> String {
    let mend = match error.kind() {
        io::ErrorKind::QuotaExceeded => return error.to_string(),
        io::ErrorKind::AddrInUse => "another program has that port: stop it, or choose one with --port",
        io::ErrorKind::PermissionDenied => "ports below 1024 are for root: choose another one with --port",
        _ => "--address takes an address or a name of this machine",
    };
    format!("cannot listen on {host} port {port}: {error}; {mend}")
}
