//! `make install` and `make uninstall`, and the programs under their installed names.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;

use crate::support::Server;

/// A folder of one test's own, which is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("parley install {name} {}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    /// Every file and folder in it, in order.
    fn entries(&self) -> Vec<String> {
        fn visit(folder: &Path, root: &Path, entries: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                entries.push(path.strip_prefix(root).expect("below it").display().to_string());
                if path.is_dir() {
                    visit(&path, root, entries);
                }
            }
        }
        let mut entries = Vec::new();
        visit(&self.0, &self.0, &mut entries);
        entries.sort();
        entries
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `make` with the programs that are built already.
fn make(target: &str, folder: &Folder, prefix: &str) -> Output {
    let built = cargo_bin!("server").parent().expect("a folder");
    Command::new("make")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("MAKEFLAGS")
        .arg(target)
        .arg(format!("BUILT={}", built.display()))
        .arg(format!("DESTDIR={}", folder.0.display()))
        .arg(format!("PREFIX={prefix}"))
        .output()
        .expect("make is installed")
}

const INSTALLED: [&str; 2] = ["usr/bin/parley", "usr/bin/parley-server"];

#[test]
fn installed_programs_run_under_their_names_and_uninstall_removes_them() {
    let folder = Folder::new("and run");
    let output = make("install", &folder, "/usr");
    assert!(output.status.success(), "{output:?}");
    let files = |folder: &Folder| -> Vec<String> {
        folder.entries().into_iter().filter(|entry| folder.0.join(entry).is_file()).collect()
    };
    assert_eq!(files(&folder), INSTALLED);
    for program in ["parley", "parley-server"] {
        let run = |option: &str| {
            let output = Command::new(folder.0.join("usr/bin").join(program)).arg(option).output().expect("it runs");
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"))
        };
        let [help, _] = run("--help");
        assert!(help.contains(&format!("Usage: {program} [OPTIONS]")) && !help.contains("{program}"), "{help}");
        let [_, error] = run("--prot");
        assert!(
            error.starts_with(&format!("{program}: unknown option")) && error.contains(&format!("usage: {program} "))
        );
        assert!(error.contains(&format!("(see '{program} --help')")), "{error}");
    }
    let mut server = Command::new(folder.0.join("usr/bin/parley-server"));
    server.args(["--port", "0"]);
    let server = Server::from(server);
    let mut client = Command::new(folder.0.join("usr/bin/parley"));
    client.args(["--port", &server.port(), "--name", "ann"]).stdin(Stdio::null());
    let output = client.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    server.wait_for_log("ann left");
    let output = make("uninstall", &folder, "/usr");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(files(&folder), [""; 0]);
}

#[test]
fn a_failed_install_names_the_obstacle_and_leaves_nothing_behind() {
    for (name, in_the_way) in [("parent", "usr/bin"), ("program", "usr/bin/parley/x")] {
        let folder = Folder::new(name);
        let obstacle = folder.0.join(in_the_way);
        fs::create_dir_all(obstacle.parent().expect("a folder")).expect("a folder");
        // A file where a folder goes, or a folder where a program goes: an obstacle for root too.
        fs::write(&obstacle, "").expect("a file");
        let before = folder.entries();
        let output = make("install", &folder, "/usr");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success()
                && said.contains("cannot install into")
                && said.contains(in_the_way.trim_end_matches("/x")),
            "{said}"
        );
        assert_eq!(folder.entries(), before);
    }
}
