//! The built program as an operator runs it: a process of its own with a configuration file, between a simulated console
//! over TLS and a real mail server of our own.

#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use s1sim::{Capability, Clock, Fleet, Latency, S1Sim};
use sinks::{MailSink, Now};

/// The program under test.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_yagura"))
}

/// Runs the program to its end in `folder`.
pub fn yagura(folder: &Path, arguments: &[&str]) -> Output {
    program().args(arguments).current_dir(folder).output().expect("the program starts")
}

/// The JSON object on the last line of what a command printed.
pub fn last_json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let last = text.lines().last().unwrap_or_else(|| panic!("nothing was printed: {output:?}"));
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"))
}

/// Everything outside of the program, and the folder that it is configured in.
pub struct Site {
    pub sim: S1Sim,
    pub mail: MailSink,
    pub folder: tempfile::TempDir,
}

pub const CUSTOMER: &str = "hoshimi";

impl Site {
    pub async fn prepare() -> Self {
        let latency = Latency {
            mitigation: Duration::from_millis(300),
            network: Duration::from_millis(300),
            ..Latency::default()
        };
        let config = s1sim::Config { fleet: Fleet::demo(), clock: Clock::real(), latency, ..s1sim::Config::default() };
        let sim = S1Sim::start(config).await.expect("the simulated console starts");
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        #[expect(
            clippy::disallowed_methods,
            reason = "the mail server runs on the machine's clock, as the program does"
        )]
        let now = Now::new(jiff::Timestamp::now);
        let mail = MailSink::start(sinks::mail::Options { smtp: free, http: free, now })
            .await
            .expect("the mail server starts");
        let folder = tempfile::tempdir().expect("a folder");
        let site = Self { sim, mail, folder };
        site.write_configuration();
        site
    }

    pub fn store_address(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("yagura.db").display())
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("yagura.toml")
    }

    /// `yagura run`, until it is stopped or killed.
    pub fn run(&self) -> Child {
        program()
            .args(["run", "--config"])
            .arg(self.config())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    fn write_configuration(&self) {
        let write =
            |name: &str, text: &str| fs::write(self.folder.path().join(name), text).expect("the folder is writable");
        write("ca.pem", self.sim.ca_pem());
        write("read-token", &self.sim.token(CUSTOMER, Capability::Read));
        write("act-token", &self.sim.token(CUSTOMER, Capability::Full));
        let smtp = self.mail.smtp_addr();
        write(
            "yagura.toml",
            &format!(
                r#"
store = "{store}"
poll_every_s = 1

[console]
listen = "127.0.0.1:0"
public_origin = "http://127.0.0.1:8700"

[sender]
name = {{ ja = "やぐらSOC", en = "Yagura SOC" }}
address = "soc@yagura.example"

[mail]
host = "{host}"
port = {port}
security = "plain-on-loopback"

[[customer]]
[customer.tenant]
id = "{CUSTOMER}"
name = {{ ja = "星見精工株式会社", en = "Hoshimi Seiko Co., Ltd." }}
languages = ["ja"]
contacts = [{{ email = "it@hoshimi.example", name = {{ ja = "長谷川 由佳", en = "Yuka Hasegawa" }} }}]

[customer.edr]
origin = "{origin}"
sites = ["{site}"]
read_token_file = "read-token"
act_token_file = "act-token"
ca_file = "ca.pem"
"#,
                store = self.store_address(),
                host = smtp.ip(),
                port = smtp.port(),
                origin = self.sim.url(),
                site = self.sim.site_id(CUSTOMER),
            ),
        );
    }
}

/// Lets a process that is not ours to steer run for a while.
pub async fn for_a_while(time: Duration) {
    let never = std::future::pending::<()>();
    let _ = tokio::time::timeout(time, never).await;
}
