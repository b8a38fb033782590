//! Rules about the source text that no compiler checks: what must not be somewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below `src`, with its path from there and its text up to the tests in it.
fn sources() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20);
    let is_test = |path: &PathBuf| path.file_name().is_some_and(|name| name == "tests.rs");
    files
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a text");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            (path.strip_prefix(&root).expect("below it").to_owned(), code)
        })
        .collect()
}

#[track_caller]
fn absent(words: &[&str], within: impl Fn(&Path) -> bool) {
    let mut looked_at = 0;
    for (path, code) in sources().iter().filter(|(path, _)| within(path)) {
        looked_at += 1;
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let found = words.iter().find(|word| line.contains(*word));
            assert_eq!(found, None, "{}:{}: {line}", path.display(), number + 1);
        }
    }
    assert!(looked_at > 0, "nothing was looked at");
}

#[test]
fn what_is_pure_names_no_sockets_threads_clocks_or_standard_streams() {
    let words =
        ["std::net", "std::thread", "std::io", "std::time::Instant", "Instant::", "SystemTime", "std::sync::mpsc"];
    absent(&words, |path| path.starts_with("protocol"));
    let pure = ["session", "ui/editor", "ui/screen", "ui/unicode.rs", "messages.rs"];
    absent(&words, |path| pure.iter().any(|pure| path.starts_with(Path::new("client").join(pure))));
}

#[test]
fn unsafe_code_is_in_one_file() {
    absent(&["unsafe {", "unsafe extern", "unsafe fn", "unsafe impl"], |path| path != Path::new("sys.rs"));
}

#[test]
fn rt2_there_is_no_send_all_and_no_way_out_but_main() {
    let words =
        ["write_all", "write_fmt", "writeln!(", "BufWriter", "io::copy", "process::exit", "unwrap()", "println!"];
    absent(&words, |_| true);
}

#[test]
fn server_and_client_do_not_know_each_other_nor_any_dialect_by_name() {
    absent(&["crate::client", "protocol::cap", "cap::"], |path| path.starts_with("server"));
    absent(&["crate::server"], |path| path.starts_with("client"));
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, code) in sources() {
        assert!(code.lines().count() <= 450, "{}", path.display());
    }
}
