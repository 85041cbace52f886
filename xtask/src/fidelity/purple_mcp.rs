//! The vendor's own MCP server: its integration suite, which asks for alerts, vulnerabilities, misconfigurations, the
//! inventory, the data lake and the assistant; and then, through the same tools, whether the values are the world's.

use super::{Outcome, Peer, Tried};

pub const PEER: Peer = Peer {
    name: "purple-mcp",
    repository: "https://github.com/Sentinel-One/purple-mcp",
    commit: "1582c0945101d0da2a158e66d8c329f66f251f27",
    packages: &[
        "click==8.5.1",
        "fastmcp==4.1.6",
        "httpx==0.28.1",
        "logfire[httpx,starlette]==5.4.0",
        "pandas==2.3.3",
        "pydantic==2.14.4",
        "pydantic-settings==2.15.0",
        "pytest==9.2.0",
        "pytest-asyncio==1.5.0",
        "python-dateutil==3.0.0",
        "tenacity==9.2.1",
        "typing-extensions==4.16.0",
    ],
    check,
};

/// The tests of the suite at that commit.
const PASSED: usize = 310;

fn check(tried: &Tried<'_>) -> Outcome {
    let token = tried.console.token("hoshimi/read")?;
    let environment = [("PURPLEMCP_CONSOLE_BASE_URL", tried.console.url.as_str()), ("PURPLEMCP_CONSOLE_TOKEN", &token)];
    let suite = [
        "-m",
        "pytest",
        "tests/integration",
        "--quiet",
        "-p",
        "no:cacheprovider",
        "--durations=0",
        "--durations-min=60",
    ];
    let (_, said) = tried.run(&environment, &suite)?;
    let counted = Counted::read(&said);
    println!("{said}\npassed {}, failed {}, skipped {}", counted.passed, counted.failed, counted.skipped);
    if counted != (Counted { passed: PASSED, failed: 0, skipped: 0 }) {
        return Err(format!("the suite was to pass {PASSED} tests and skip none"));
    }
    let (agrees, said) = tried.run(&environment, &[&Tried::script("purple_values.py")?])?;
    println!("{said}");
    if agrees { Ok(()) } else { Err("what the client was told is not what the world says".to_owned()) }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    passed: usize,
    /// With those that could not even start.
    failed: usize,
    skipped: usize,
}

impl Counted {
    /// Reads pytest's last line: `2 failed, 308 passed, 1 warning in 20.1s`.
    fn read(said: &str) -> Self {
        let mut counted = Self::default();
        // A run of more than a minute says so a second time: `in 61.00s (0:01:01)`.
        let ends = |line: &&str| line.contains(" in ") && line.trim_end_matches([' ', '=']).ends_with(['s', ')']);
        let Some(line) = said.lines().rev().find(ends) else { return counted };
        for part in line.split([',', '=']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next().and_then(|word| word.parse::<usize>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => counted.passed += number,
                "failed" | "error" | "errors" | "xpassed" => counted.failed += number,
                "skipped" | "deselected" | "xfailed" => counted.skipped += number,
                _ => {}
            }
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::Counted;

    #[test]
    fn the_last_line_is_counted_whatever_else_was_printed() {
        let said = "....\n12 passed somewhere else\n==== 2 failed, 300 passed, 3 skipped, 5 errors, 1 warning in 20.14s ====\n";
        assert_eq!(Counted::read(said), Counted { passed: 300, failed: 7, skipped: 3 });
        assert_eq!(Counted::read("310 passed in 61.00s (0:01:01)\n\n").passed, 310);
        assert_eq!(Counted::read(""), Counted::default());
    }
}
