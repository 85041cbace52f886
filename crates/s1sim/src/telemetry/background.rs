//! What ordinary programs do on an ordinary day, so that a search finds more than attacks and "how many endpoints have
//! it" has an answer. An endpoint and a date decide everything; nothing is kept.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::gather::Span;
use super::programs::{self as on, Program};
use super::story::{Stage, pid, running};
use super::{Event, FileChange, Hashes, Process, RegistryChange, What, event_id};
use crate::clock;
use crate::digest;
use crate::world::Agent;

const DAY: i64 = 86_400;
/// No question looks back further than this, whatever it asks.
const MOST_DAYS: i64 = 100;

/// The ordinary events of an endpoint in a span.
pub(super) fn events(agent: &Agent, stage: &Stage, english: bool, span: Span) -> Vec<Event> {
    let day = |at: Timestamp| at.as_second().div_euclid(DAY);
    let last = day(span.to);
    let first = day(span.from).max(last - MOST_DAYS);
    (first..=last).flat_map(|date| one_day(agent, stage, english, date)).filter(|event| span.has(event.at)).collect()
}

fn one_day(agent: &Agent, stage: &Stage, english: bool, date: i64) -> Vec<Event> {
    let server = agent.role.machine_type() == "server";
    // The first of January 1970 was a Thursday.
    let weekend = matches!((date + 4).rem_euclid(7), 0 | 6);
    if weekend && !server {
        return Vec::new();
    }
    // Work begins at nine in Tokyo, which is midnight in UTC, or at eight in Edinburgh.
    let opens = if english { 8 * 3_600 } else { 0 };
    let mut day =
        Day { stage, start: date * DAY + opens, label: format!("{} {date}", agent.id), events: Vec::new(), dice: 0 };
    day.dice = digest::number(&day.label);
    match (agent.role.os_type(), server) {
        ("linux", _) => day.linux(),
        ("macos", _) => day.mac(),
        (_, true) => day.server(agent),
        _ => day.office(),
    }
    day.events
}

/// A day being made up.
struct Day<'a> {
    stage: &'a Stage,
    /// In seconds since 1970.
    start: i64,
    label: String,
    events: Vec<Event>,
    dice: u64,
}

impl Day<'_> {
    fn office(&mut self) {
        let morning = self.between(0, 1_200);
        let winlogon = self.running(&on::WINLOGON);
        let (domain, user) = self.stage.user.split_once('\\').unwrap_or(("", &self.stage.user));
        let (domain, user) = (domain.to_owned(), user.to_owned());
        let log_on = |off| What::LogOn {
            user: user.clone(),
            domain: domain.clone(),
            kind: "INTERACTIVE",
            from: String::new(),
            succeeded: true,
            off,
        };
        self.add(morning, &winlogon, log_on(false));
        let desktop = self.running(&on::EXPLORER);
        let mail = self.start(morning + 60, &desktop, on::OUTLOOK, "");
        self.visit(morning + 64, &mail, "outlook.mailhost.example", "198.51.100.10", 443);
        let chat = self.start(morning + 90, &desktop, on::TEAMS, "");
        self.visit(morning + 95, &chat, "teams.meethost.example", "198.51.100.14", 443);
        let browser = if self.chance(60) { on::CHROME } else { on::EDGE };
        let browsing = self.start(morning + 300, &desktop, browser, "");
        for (n, (name, address)) in [
            ("www.news.example", "192.0.2.31"),
            ("portal.intra.example", "10.20.0.80"),
            ("maps.example", "192.0.2.55"),
            ("search.example", "192.0.2.17"),
        ]
        .into_iter()
        .enumerate()
        {
            if self.chance(55) {
                let at = self.between(400 + i64::try_from(n).unwrap_or(0) * 5_000, 4_800);
                self.visit(at, &browsing, name, address, 443);
            }
        }
        for n in 0..self.pick(3) {
            let at = self.between(3_600 + i64::try_from(n).unwrap_or(0) * 7_000, 5_000);
            let (program, file) =
                if self.chance(50) { (on::EXCEL, "売上集計_2026.xlsx") } else { (on::WINWORD, "議事録.docx") };
            let path = format!(r"C:\Users\{}\Documents\{file}", super::story::account(&self.stage.user));
            let command = format!("\"{}\" \"{path}\"", program.image);
            let writing = self.start(at, &desktop, program, &command);
            self.file(at + 600, &writing, FileChange::Modified, &path);
            self.end(at + 900, &writing);
        }
        self.machine();
        let cloud = self.running(&on::ONEDRIVE);
        let at = self.between(9_000, 9_000);
        self.visit(at, &cloud, "sync.filehost.example", "198.51.100.22", 443);
        self.add(morning + 31_000, &winlogon, log_on(true));
    }

    fn server(&mut self, agent: &Agent) {
        use crate::fleet::Role::{AppServer, BackupServer, DomainController};
        self.machine();
        let (program, port) = match agent.role {
            AppServer => (on::ERPD, 8_443),
            BackupServer => (on::BACKUPD, 9_392),
            DomainController => (on::DNSD, 53),
            _ => (on::SYSTEM, 445),
        };
        let service = self.running(&program);
        for n in 0..6 {
            let at = self.between(n * 9_000, 8_000);
            let from = format!("10.20.{}.{}", 2 + self.pick(200), 2 + self.pick(200));
            let (to, from_port) = (self.stage.address.clone(), 50_000 + u16::try_from(n).unwrap_or(0));
            self.add(at, &service, What::Connect { from, from_port, to, port, incoming: true, succeeded: true });
        }
        let services = self.running(&on::SERVICES);
        let night = self.between(50_000, 600);
        let backup =
            self.start(night, &services, on::BACKUPD, r#""C:\Program Files\Hokuto Backup\BkAgent.exe" -job nightly"#);
        self.file(night + 40, &backup, FileChange::Created, r"D:\Backup\nightly.bkf");
        // What attackers use is used by administrators as well.
        let snapshot = self.start(night + 5, &backup, on::VSSADMIN, "vssadmin.exe list shadows");
        self.end(night + 6, &snapshot);
    }

    /// What Windows does by itself.
    fn machine(&mut self) {
        let services = self.running(&on::SERVICES);
        let at = self.between(500, 20_000);
        let host = self.start(at, &services, on::SVCHOST, r"C:\Windows\System32\svchost.exe -k netsvcs -p -s wuauserv");
        self.visit(at + 3, &host, "update.oshost.example", "198.51.100.40", 443);
        let update = self.start(at + 6, &host, on::USOCLIENT, r"C:\Windows\System32\UsoClient.exe StartScan");
        self.end(at + 30, &update);
        let what = What::Task {
            change: "Task Start",
            name: r"\Microsoft\Windows\UpdateOrchestrator\Schedule Scan".to_owned(),
            path: on::USOCLIENT.image.into_owned(),
        };
        self.add(at + 5, &host, what);
        let indexer = self.running(&on::SEARCHINDEXER);
        self.file(
            at + 100,
            &indexer,
            FileChange::Modified,
            r"C:\ProgramData\Microsoft\Search\Data\Applications\Windows\Windows.edb",
        );
        let module = What::Module {
            path: r"C:\Windows\System32\mssrch.dll".to_owned(),
            hashes: Hashes::of("mssrch.dll"),
            publisher: "MICROSOFT WINDOWS".to_owned(),
            driver: false,
        };
        self.add(at + 101, &indexer, module);
        let registry = What::Registry {
            change: RegistryChange::ValueSet,
            key: r"MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\Results\Detect"
                .to_owned(),
            value: "LastSuccessTime".to_owned(),
            data: format!("{}", self.start),
            old_data: format!("{}", self.start - DAY),
        };
        self.add(at + 9, &host, registry);
    }

    fn linux(&mut self) {
        let cron = self.running(&on::CRON);
        let at = self.between(1_000, 3_000);
        let shell =
            self.start(at, &cron, on::SH, "/bin/sh -c test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily");
        let apt = self.start(at + 1, &shell, on::APT, "apt-get -qq -y update");
        self.visit(at + 2, &apt, "archive.oshost.example", "198.51.100.60", 80);
        self.end(at + 30, &apt);
        let web = self.running(&on::NGINX);
        for n in 0..8 {
            let at = self.between(n * 8_000, 7_000);
            let from = format!("192.0.2.{}", 2 + self.pick(250));
            let to = self.stage.address.clone();
            self.add(
                at,
                &web,
                What::Connect { from, from_port: 40_000, to, port: 443, incoming: true, succeeded: true },
            );
        }
    }

    fn mac(&mut self) {
        let launchd = self.running(&on::LAUNCHD);
        let morning = self.between(0, 1_200);
        let safari = self.start(morning, &launchd, on::SAFARI, "");
        self.visit(morning + 20, &safari, "www.news.example", "192.0.2.31", 443);
        let worker = self.start(morning + 200, &launchd, on::MDWORKER, "");
        self.end(morning + 400, &worker);
    }

    fn running(&self, program: &Program) -> Arc<Process> {
        let at = Timestamp::from_second(self.start + DAY - 1).unwrap_or_default();
        // The same process for the whole day that the clock names, as stories see it.
        let at = Timestamp::from_second(self.start.div_euclid(DAY) * DAY + DAY - 1).unwrap_or(at);
        running(program, self.stage, None, at)
    }

    fn start(&mut self, at: i64, by: &Arc<Process>, program: Program, command: &str) -> Arc<Process> {
        let label = format!("{} {} {at}", self.label, program.image);
        let command = if command.is_empty() { format!("\"{}\"", program.image) } else { command.to_owned() };
        let process = Arc::new(Process {
            key: digest::storyline(&label),
            parent: Some(by.clone()),
            pid: pid(&label),
            hashes: program.hashes(),
            name: program.name.into_owned(),
            image: program.image.into_owned(),
            command,
            user: by.user.clone(),
            started: self.at(at),
            integrity: by.integrity,
            publisher: program.publisher.into_owned(),
            storyline: by.storyline.clone(),
        });
        self.add(at, by, What::Started(process.clone()));
        process
    }

    fn end(&mut self, at: i64, process: &Arc<Process>) {
        self.add(at, process, What::Ended);
    }

    fn visit(&mut self, at: i64, process: &Arc<Process>, name: &str, address: &str, port: u16) {
        self.add(at, process, What::Dns { name: name.to_owned(), answers: format!("{address};") });
        let (from, to) = (self.stage.address.clone(), address.to_owned());
        let from_port = u16::try_from(49_152 + self.pick(16_000)).unwrap_or(49_152);
        self.add(at, process, What::Connect { from, from_port, to, port, incoming: false, succeeded: true });
    }

    fn file(&mut self, at: i64, process: &Arc<Process>, change: FileChange, path: &str) {
        let size = 10_000 + self.pick(500_000);
        let (path, old_path, hashes) = (path.to_owned(), String::new(), Hashes::default());
        self.add(at, process, What::File { change, path, old_path, hashes, size });
    }

    fn add(&mut self, at: i64, process: &Arc<Process>, what: What) {
        let Some(at) = self.at(at) else { return };
        let id = event_id(&format!("{} {}", self.label, self.events.len()));
        let at = clock::later(at, Duration::from_micros(id % 1_000_000));
        self.events.push(Event { id, at, agent: self.stage.agent, process: process.clone(), what });
    }

    fn at(&self, seconds: i64) -> Option<Timestamp> {
        Timestamp::from_second(self.start + seconds).ok()
    }

    /// `from` and up to `width` more.
    fn between(&mut self, from: i64, width: u64) -> i64 {
        from + i64::try_from(self.pick(width)).unwrap_or(0)
    }

    /// A number below `below`.
    fn pick(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.pick(100) < percent
    }
}
