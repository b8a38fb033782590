//! What shells complete of a command line, from the same table as the help text.

use super::{Command, Flag};

/// The shells, by name, and how to write what each of them reads.
pub(super) const SHELLS: [(&str, Shell); 3] = [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What stands for the name of a file.
const FILE: &str = "FILE";

impl<O> Command<'_, O> {
    /// Returns what completes this command line in a shell; `None` if nobody knows that shell.
    pub(super) fn completions(&self, shell: &str) -> Option<String> {
        let (_, shell) = SHELLS.iter().find(|(name, _)| *name == shell)?;
        Some(match shell {
            Shell::Bash => self.bash(),
            Shell::Zsh => self.zsh(),
            Shell::Fish => self.fish(),
        })
    }

    fn bash(&self) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let function: String = self.program.chars().map(word).collect();
        let mut cases = String::new();
        for flag in self.all_flags().filter(|flag| flag.placeholder().is_some()) {
            let choices = (flag.choices)();
            let compgen = match flag.placeholder() {
                Some(FILE) => String::from("COMPREPLY=($(compgen -f -- \"$cur\"))"),
                _ if choices.is_empty() => String::from(":"),
                _ => format!("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", choices.join(" ")),
            };
            cases += &format!("        {}) {compgen}; return ;;\n", names(flag).join("|"));
        }
        let all: Vec<String> = self.all_flags().map(|flag| format!("--{}", flag.long)).collect();
        format!(
            "_{function}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    if [ \"$cur\" = = ]; then
        cur=
    elif [ \"$prev\" = = ]; then
        prev=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    case $prev in
{cases}    esac
    COMPREPLY=($(compgen -W '{}' -- \"$cur\"))
}}
complete -F _{function} {}
",
            all.join(" "),
            quote(self.program)
        )
    }

    fn zsh(&self) -> String {
        let escape = |text: &str| {
            let needs_escape = |c: char| matches!(c, '\\' | '[' | ']' | ':');
            text.chars().flat_map(|c| needs_escape(c).then_some('\\').into_iter().chain([c])).collect::<String>()
        };
        let mut specs = Vec::new();
        for flag in self.all_flags() {
            let choices = (flag.choices)();
            let action = match flag.placeholder() {
                None => String::new(),
                Some(FILE) => format!(":{FILE}:_files"),
                Some(placeholder) if choices.is_empty() => format!(":{placeholder}: "),
                Some(placeholder) => format!(":{placeholder}:({})", choices.join(" ")),
            };
            for name in names(flag) {
                let attached = match flag.placeholder() {
                    None => "",
                    Some(_) if name.starts_with("--") => "=",
                    Some(_) => "+",
                };
                specs.push(quote(&format!("*{name}{attached}[{}]{action}", escape(flag.help))));
            }
        }
        format!("#compdef {}\n\n_arguments -s \\\n    {}\n", self.program, specs.join(" \\\n    "))
    }

    fn fish(&self) -> String {
        let program = quote(self.program);
        let mut lines = format!("complete -c {program} -f\n");
        for flag in self.all_flags() {
            let short = flag.short.map(|short| format!(" -s {short}")).unwrap_or_default();
            let choices = (flag.choices)();
            let value = match flag.placeholder() {
                None => String::new(),
                Some(FILE) => String::from(" -r -F"),
                Some(_) if choices.is_empty() => String::from(" -x"),
                Some(_) => format!(" -x -a '{}'", choices.join(" ")),
            };
            let help = flag.help.replace('\\', "\\\\").replace('\'', "\\'");
            lines += &format!("complete -c {program}{short} -l {}{value} -d '{help}'\n", flag.long);
        }
        lines
    }
}

/// Returns the forms of a flag, as they are typed.
fn names<O>(flag: &Flag<O>) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    short.into_iter().chain([format!("--{}", flag.long)]).collect()
}

/// Returns the text as one word of a shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Spec, Update};

    static SPEC: Spec<()> = Spec {
        role: "test",
        about: "A program.",
        usage: &["{program}"],
        max_positionals: 0,
        flags: &[
            Flag::option("log", FILE, "What [it] says: all", |(), _| Ok(())),
            Flag::option("level", "LEVEL", "How much of 'that'", |(), _| Ok(())).choices(|| vec!["low", "high"]),
            Flag::option("port", "PORT", "Where", |(), _| Ok(())).short('p'),
            Flag::new("quiet", "Say nothing", Update::Switch(|(), _| ())).short('q'),
        ],
        after_help: String::new,
    };

    #[track_caller]
    fn script(program: &str, shell: &str, lines: &[&str]) {
        let text = SPEC.called(program).completions(shell).expect("a shell");
        for line in lines {
            assert!(text.lines().any(|found| found.trim() == *line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn each_shell_completes_every_option_and_its_values_by_the_program_s_name() {
        let all = "--log --level --port --quiet --help --version --completions";
        script(
            "it's chat",
            "bash",
            &[
                "_it_s_chat() {",
                "--log) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;",
                "--level) COMPREPLY=($(compgen -W 'low high' -- \"$cur\")); return ;;",
                "-p|--port) :; return ;;",
                &format!("COMPREPLY=($(compgen -W '{all}' -- \"$cur\"))"),
                "complete -F _it_s_chat 'it'\\''s chat'",
            ],
        );
        script(
            "chat",
            "zsh",
            &[
                "#compdef chat",
                "'*--log=[What \\[it\\] says\\: all]:FILE:_files' \\",
                "'*--level=[How much of '\\''that'\\'']:LEVEL:(low high)' \\",
                "'*-p+[Where]:PORT: ' \\",
                "'*--port=[Where]:PORT: ' \\",
                "'*-q[Say nothing]' \\",
                "'*--completions=[Print what completes these options in a shell]:SHELL:(bash zsh fish)'",
            ],
        );
        script(
            "chat",
            "fish",
            &[
                "complete -c 'chat' -f",
                "complete -c 'chat' -l log -r -F -d 'What [it] says: all'",
                "complete -c 'chat' -l level -x -a 'low high' -d 'How much of \\'that\\''",
                "complete -c 'chat' -s p -l port -x -d 'Where'",
                "complete -c 'chat' -s q -l quiet -d 'Say nothing'",
            ],
        );
        assert_eq!(SPEC.called("chat").completions("csh"), None);
    }
}
