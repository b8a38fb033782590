//! Rules about the source text that no compiler checks: what must not be somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Every Rust file below `src`, with its path from there and its text up to the tests in it.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = rust_files(&root);
    assert!(files.len() > 20);
    files.retain(|path| path.file_name().is_some_and(|name| name != "tests.rs"));
    files
        .into_iter()
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
    absent(&["crate::client", "cap::", "wac::", "chat1::", ".name() =="], |path| path.starts_with("server"));
    absent(&["crate::server"], |path| path.starts_with("client"));
}

/// What may stand before an item.
const VISIBILITIES: [&str; 4] = ["", "pub ", "pub(crate) ", "pub(super) "];

/// What a line begins that defines a type or is about one: `struct Name`, `impl Name`.
fn named_by<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = VISIBILITIES.iter().find_map(|visibility| line.strip_prefix(visibility)?.strip_prefix(word))?;
    // Behind the last bound of `impl<F: Fn() -> bool>`.
    let generics = rest.replace("->", "--").find("> ").map_or(0, |end| end + 1);
    let rest = if rest.starts_with('<') { &rest[generics..] } else { rest }.strip_prefix(' ')?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn a_type_is_changed_in_its_own_file_and_a_struct_has_twelve_fields_at_most() {
    let mut structs = 0;
    for (path, code) in sources() {
        let of = |word| code.lines().filter_map(move |line| named_by(line, word));
        let own: BTreeSet<&str> = ["struct", "enum", "union", "trait"].into_iter().flat_map(of).collect();
        for line in code.lines().filter(|line| line.starts_with("impl") && !line.contains(" for ")) {
            let changed = named_by(line, "impl").unwrap_or_default();
            assert!(own.contains(changed), "{}: {line}", path.display());
        }
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let Some(name) = named_by(line, "struct").filter(|_| line.ends_with('{')) else { continue };
            let is_field = |line: &&str| line.starts_with("    ") && !line.starts_with("     ") && line.contains(": ");
            let body = lines.by_ref().take_while(|line| *line != "}");
            let fields = body.filter(|line| !line.trim_start().starts_with("//")).filter(is_field).count();
            assert!(fields <= 12 || name == "Settings", "{}: {name} has {fields} fields", path.display());
            structs += 1;
        }
    }
    assert!(structs > 50, "{structs} structs were looked at");
}

/// The paths that a `use` names, without its braces.
fn expand(tree: &str) -> Vec<String> {
    let Some((start, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in rest.trim_end().trim_end_matches('}').chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("a part").push(c);
        }
    }
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| expand(&(start.to_owned() + part.trim())))
        .collect()
}

#[test]
fn no_imports_go_in_a_circle() {
    let module = |path: &Path| {
        let path = path.with_extension("").to_string_lossy().replace('/', "::");
        path.trim_end_matches("mod").trim_end_matches("::").to_owned()
    };
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let sources: Vec<_> = sources().into_iter().filter(|(path, _)| !path.starts_with("bin")).collect();
    let modules: BTreeSet<String> = sources.iter().map(|(path, _)| module(path)).collect();
    for (path, code) in &sources {
        let own = module(path);
        let mut paths = Vec::new();
        for (at, word) in code.match_indices("use ") {
            let before = code[..at].rsplit('\n').next().unwrap_or_default();
            let statement = code[at + word.len()..].split(';').next().filter(|_| VISIBILITIES.contains(&before));
            paths.extend(statement.into_iter().flat_map(|tree| expand(&tree.replace('\n', " "))));
        }
        for path in paths {
            let mut base = own.as_str();
            let mut path = path.as_str();
            if let Some(rest) = path.strip_prefix("crate::") {
                (base, path) = ("", rest);
            }
            while let Some(rest) = path.strip_prefix("super::") {
                (base, path) = (base.rsplit_once("::").map_or("", |(parent, _)| parent), rest);
            }
            let path = [base, path.trim_start_matches("self::")].join("::");
            let mut target = path.trim_start_matches("::");
            while !modules.contains(target) {
                let Some((parent, _)) = target.rsplit_once("::") else { break };
                target = parent;
            }
            if modules.contains(target) && target != own {
                imports.entry(own.clone()).or_default().insert(target.to_owned());
            }
        }
    }
    assert!(imports.len() > 50, "{imports:?}");
    // What imports nothing that is left, or is imported by nothing that is left, is in no circle.
    let is_end = |name: &String, of: &BTreeSet<String>, all: &BTreeMap<String, BTreeSet<String>>| {
        !of.iter().any(|of| all.contains_key(of)) || !all.values().any(|of| of.contains(name))
    };
    while let Some(end) = imports.iter().find(|(name, of)| is_end(name, of, &imports)).map(|(name, _)| name.clone()) {
        imports.remove(&end);
    }
    assert!(imports.is_empty(), "{imports:#?}");
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, code) in sources() {
        assert!(code.lines().count() <= 500, "{}", path.display());
    }
}

/// Whether a word is the id of a rule, such as G4 or RI12.
fn is_rule_id(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let series = &word[..word.len() - digits.len()];
    ["G", "C", "R", "RI", "RA", "RT", "K", "W", "H"].contains(&series)
        && (1..=2).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && word != "C0"
}

/// The ids in a text, and those that the names of its tests begin with.
fn rule_ids(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let ids = |words: &mut dyn Iterator<Item = String>| words.filter(|word| is_rule_id(word)).collect();
    let mentioned = ids(&mut text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
    let tests = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
    let proved = ids(&mut tests.flat_map(|name| name.split(['_', '(']).map(str::to_uppercase)));
    (mentioned, proved)
}

#[test]
fn every_rule_can_be_looked_up_and_has_a_test_that_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = fs::read_to_string(root.join("src/protocol/rules.md")).expect("the rules");
    let known = rules.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let known: BTreeSet<String> = known.filter(|word| is_rule_id(word)).map(str::to_owned).collect();
    let (mut mentioned, mut proved) = (BTreeSet::new(), BTreeSet::new());
    for path in rust_files(&root.join("src")).into_iter().chain(rust_files(&root.join("tests"))) {
        let (more_mentioned, more_proved) = rule_ids(&fs::read_to_string(&path).expect("a text"));
        mentioned.extend(more_mentioned);
        proved.extend(more_proved);
    }
    let unknown: Vec<_> = mentioned.union(&proved).filter(|id| !known.contains(*id)).collect();
    assert!(unknown.is_empty(), "not among the rules: {unknown:?}");
    let unproved: Vec<_> = known.difference(&proved).collect();
    assert!(unproved.is_empty(), "no test names {unproved:?}");
}

#[test]
fn every_file_that_a_text_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a text");
    let (readme, promises) = (read("README.md"), read("src/promises.md"));
    assert!(readme.lines().count() <= 220, "it answers a newcomer's questions, and the rest stands elsewhere");
    let linked = readme.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let linked: BTreeSet<&str> = linked.filter(|path| !path.is_empty()).collect();
    let tests = promises.split('`').filter(|word| Path::new(word).extension().is_some_and(|kind| kind == "rs"));
    let tests: BTreeSet<&str> = tests.collect();
    assert!(linked.len() + tests.len() > 40, "{linked:?} {tests:?}");
    // A file of tests is named without its folder.
    let known: BTreeSet<_> =
        rust_files(&root.join("tests/it")).iter().filter_map(|path| Some(path.file_name()?.to_owned())).collect();
    let missing: Vec<&str> = linked
        .into_iter()
        .filter(|path| !root.join(path).exists())
        .chain(tests.into_iter().filter(|name| !known.contains(OsStr::new(name))))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
