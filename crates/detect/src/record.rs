//! What an endpoint recorded, in Sigma's words: the taxonomy of Sysmon, which most rules are written for.
//!
//! Only what the record says is said. An endpoint product does not tell a program's `OriginalFileName`, the access mask of an
//! opened process or a log-on in the Security log's words; rules that need these cannot match, and do not.

use domain::Untrusted;
use domain::alert::Signature;
use domain::endpoint::Os;
use domain::telemetry::{Direction, FileChange, Hashes, Network, Parent, Process, Record, RegistryChange, What};
use serde_json::{Map, Value};

use crate::event::{Categories, Event};
use crate::winlog::registry_key;

/// The event of a record. It has no log source (`Event::has_source`) when no rule could be meant for its kind.
pub fn event_of(record: &Record) -> Event {
    let (product, slash) = match record.os {
        Os::Windows => ("windows", '\\'),
        Os::Macos => ("macos", '/'),
        Os::Linux => ("linux", '/'),
        Os::Unknown => return Event::new(record.id.clone(), "unknown", Map::new()),
    };
    let mut fields = Fields { of: Map::new(), slash };
    let categories = fields.fill(record);
    let mut event = Event::new(record.id.clone(), product, fields.of);
    event.categories = categories;
    event
}

struct Fields {
    of: Map<String, Value>,
    slash: char,
}

impl Fields {
    fn fill(&mut self, record: &Record) -> Categories {
        self.text("Computer", Some(&record.host));
        match &record.what {
            What::ProcessStarted(started) => {
                self.process(started);
                self.started_by(started, &record.process);
                return &["process_creation"];
            }
            What::ProcessReached { target, how } => {
                self.reached(&record.process, target);
                let how = how.for_matching().to_ascii_lowercase();
                let inside = how.contains("thread") || how.contains("inject");
                return if inside { &["create_remote_thread"] } else { &["process_access"] };
            }
            _ => self.process(&record.process),
        }
        if let Some(parent) = &record.process.parent {
            self.parent(parent);
        }
        match &record.what {
            What::ProcessEnded => &["process_termination"],
            What::File { change, path, old_path, hashes, .. } => self.file(*change, path, old_path.as_ref(), hashes),
            What::Registry { change, key, value, data } => self.registry(*change, key, value.as_ref(), data.as_ref()),
            What::Network(network) => self.network(network),
            What::Dns { name, answers } => {
                self.text("QueryName", Some(name));
                let answers: String = answers.iter().map(|a| format!("{};", a.for_matching())).collect();
                self.put("QueryResults", answers);
                &["dns_query"]
            }
            What::Module { path, hashes, signature, driver } => {
                self.text("ImageLoaded", Some(path));
                self.hashes(hashes);
                self.signature(signature);
                if *driver { &["driver_load"] } else { &["image_load"] }
            }
            What::Script { content } if runs_powershell(&record.process) => {
                self.text("ScriptBlockText", Some(content));
                &["ps_script"]
            }
            What::Other { kind, detail } if kind.for_matching().to_ascii_lowercase().contains("named pipe") => {
                self.text("PipeName", detail.as_ref());
                &["pipe_created"]
            }
            // No rule of an endpoint is written for these in words that an endpoint product has.
            _ => &[],
        }
    }

    fn process(&mut self, process: &Process) {
        self.image("Image", process.image.as_ref(), process.name.as_ref());
        self.text("CommandLine", process.command_line.as_ref());
        self.text("User", process.user.as_ref());
        self.number("ProcessId", process.pid);
        if let Some(level) = &process.integrity {
            self.put("IntegrityLevel", integrity(level.for_matching()));
        }
    }

    /// Who started it: the process that acted says most; what the started one says of its parent fills the rest.
    fn started_by(&mut self, started: &Process, by: &Process) {
        self.hashes(&started.hashes);
        self.image("ParentImage", by.image.as_ref(), by.name.as_ref());
        self.text("ParentCommandLine", by.command_line.as_ref());
        self.text("ParentUser", by.user.as_ref());
        self.number("ParentProcessId", by.pid);
        if let Some(parent) = &started.parent {
            self.parent(parent);
        }
        if let Some(grand) = &by.parent {
            self.image("GrandParentImage", grand.image.as_ref(), grand.name.as_ref());
        }
    }

    fn parent(&mut self, parent: &Parent) {
        self.image("ParentImage", parent.image.as_ref(), parent.name.as_ref());
        self.text("ParentCommandLine", parent.command_line.as_ref());
        self.number("ParentProcessId", parent.pid);
    }

    fn reached(&mut self, by: &Process, target: &Process) {
        self.image("SourceImage", by.image.as_ref(), by.name.as_ref());
        self.image("TargetImage", target.image.as_ref(), target.name.as_ref());
        self.text("SourceCommandLine", by.command_line.as_ref());
        self.text("SourceUser", by.user.as_ref());
        self.text("TargetUser", target.user.as_ref());
    }

    fn file(
        &mut self,
        change: FileChange,
        path: &Untrusted,
        old_path: Option<&Untrusted>,
        hashes: &Hashes,
    ) -> Categories {
        self.text("TargetFilename", Some(path));
        self.hashes(hashes);
        match change {
            // Sysmon calls a file that is written over created, too.
            FileChange::Created | FileChange::Modified => &["file_event"],
            FileChange::Deleted => &["file_delete"],
            FileChange::Renamed => {
                self.text("SourceFilename", old_path);
                &["file_rename"]
            }
            FileChange::Read => {
                self.text("FileName", Some(path));
                &["file_access"]
            }
        }
    }

    fn registry(
        &mut self,
        change: RegistryChange,
        key: &Untrusted,
        value: Option<&Untrusted>,
        data: Option<&Untrusted>,
    ) -> Categories {
        let mut target = registry_key(key.for_matching());
        if let Some(value) = value.map(Untrusted::for_matching)
            && !target.to_lowercase().ends_with(&format!("\\{}", value.to_lowercase()))
        {
            target = format!("{target}\\{value}");
        }
        self.put("TargetObject", target);
        if let Some(data) = data {
            self.of.insert("Details".to_owned(), details(data.for_matching()));
        }
        let (kind, categories): (&str, Categories) = match change {
            RegistryChange::ValueSet => ("SetValue", &["registry_set", "registry_event"]),
            RegistryChange::KeyCreated => ("CreateKey", &["registry_add", "registry_event"]),
            RegistryChange::KeyDeleted => ("DeleteKey", &["registry_delete", "registry_event"]),
            RegistryChange::ValueDeleted => ("DeleteValue", &["registry_delete", "registry_event"]),
            RegistryChange::KeyRenamed => ("RenameKey", &["registry_rename", "registry_event"]),
            RegistryChange::Other => return &[],
        };
        self.put("EventType", kind.to_owned());
        categories
    }

    fn network(&mut self, network: &Network) -> Categories {
        match network.direction {
            Direction::Outgoing => self.put("Initiated", "true".to_owned()),
            Direction::Incoming => self.put("Initiated", "false".to_owned()),
            Direction::Unknown => {}
            // A socket that waits is no connection.
            Direction::Listening => return &[],
        }
        if let Some(protocol) = &network.protocol {
            self.put("Protocol", protocol.for_matching().to_ascii_lowercase());
        }
        for (end, address, port) in [
            ("Source", network.source, network.source_port),
            ("Destination", network.destination, network.destination_port),
        ] {
            if let Some(address) = address {
                self.put(&format!("{end}Ip"), address.to_string());
                self.put(&format!("{end}IsIpv6"), address.is_ipv6().to_string());
            }
            self.number(&format!("{end}Port"), port.map(u32::from));
        }
        &["network_connection"]
    }

    fn signature(&mut self, signature: &Signature) {
        let (signed, status, publisher) = match signature {
            Signature::Unknown => return,
            Signature::NotSigned => ("false", "Unavailable", None),
            Signature::Invalid { publisher } => ("true", "Invalid", publisher.as_ref()),
            Signature::Valid { publisher } => ("true", "Valid", publisher.as_ref()),
        };
        self.put("Signed", signed.to_owned());
        self.put("SignatureStatus", status.to_owned());
        self.text("Signature", publisher);
    }

    /// `SHA1=…,MD5=…,SHA256=…`, as Sysmon writes it.
    fn hashes(&mut self, hashes: &Hashes) {
        let all: Vec<String> = hashes
            .all()
            .map(|hash| format!("{}={}", hash.algorithm().replace('-', ""), hash.as_str().to_ascii_uppercase()))
            .collect();
        if !all.is_empty() {
            self.put("Hashes", all.join(","));
        }
    }

    /// A path; or, where only the name is known, the name after a separator: `endswith: '\cmd.exe'` asks for the name alone,
    /// and no folder is claimed.
    fn image(&mut self, field: &str, path: Option<&Untrusted>, name: Option<&Untrusted>) {
        match (path, name) {
            (Some(path), _) => self.text(field, Some(path)),
            (None, Some(name)) => self.put(field, format!("{}{}", self.slash, name.for_matching())),
            (None, None) => {}
        }
    }

    fn text(&mut self, field: &str, text: Option<&Untrusted>) {
        if let Some(text) = text {
            self.put(field, text.for_matching().to_owned());
        }
    }

    fn number(&mut self, field: &str, number: Option<u32>) {
        if let Some(number) = number {
            self.of.entry(field).or_insert_with(|| number.into());
        }
    }

    /// The first word stands.
    fn put(&mut self, field: &str, text: String) {
        self.of.entry(field).or_insert(Value::String(text));
    }
}

/// `HIGH`, `INTEGRITY_LEVEL_HIGH` and `high` are Sysmon's `High`.
fn integrity(level: &str) -> String {
    let word = level.rsplit('_').next().unwrap_or(level).to_ascii_lowercase();
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Data of a registry value. Sysmon writes a number as `DWORD (0x00000001)`; records do not say which kind a value is, so a number is
/// given in both forms, and either may match.
fn details(data: &str) -> Value {
    let number = match data.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => data.parse::<u32>().ok(),
    };
    match number {
        Some(number) => Value::Array(vec![data.into(), format!("DWORD (0x{number:08x})").into()]),
        None => data.into(),
    }
}

fn runs_powershell(process: &Process) -> bool {
    let named = [&process.name, &process.image].into_iter().flatten();
    named
        .map(|name| name.for_matching().to_ascii_lowercase())
        .any(|name| name.contains("powershell") || name.contains("pwsh"))
}

#[cfg(test)]
mod tests {
    use domain::AgentId;
    use domain::alert::Hash;

    use super::*;

    fn record(os: Os, what: What) -> Event {
        event_of(&Record {
            id: Untrusted::new("r-1"),
            at: None,
            agent: AgentId::new("225494730938493804").unwrap(),
            host: Untrusted::new("ws-17"),
            os,
            process: Process {
                image: Some(Untrusted::new("C:\\Windows\\explorer.exe")),
                command_line: Some(Untrusted::new("explorer")),
                ..Process::default()
            },
            storyline: None,
            what,
        })
    }

    #[test]
    fn a_started_process_has_the_acting_one_as_its_parent() {
        let started = Process {
            name: Some(Untrusted::new("cmd.exe")),
            integrity: Some(Untrusted::new("INTEGRITY_LEVEL_HIGH")),
            hashes: Hashes { sha1: Hash::parse(&"ab".repeat(20)), ..Hashes::default() },
            ..Process::default()
        };
        let event = record(Os::Windows, What::ProcessStarted(Box::new(started)));
        assert_eq!((event.product, event.categories), ("windows", &["process_creation"][..]));
        assert_eq!(event.fields["Image"], "\\cmd.exe");
        assert_eq!(event.fields["ParentImage"], "C:\\Windows\\explorer.exe");
        assert_eq!(event.fields["IntegrityLevel"], "High");
        assert_eq!(event.fields["Hashes"], format!("SHA1={}", "AB".repeat(20)));
    }

    #[test]
    fn a_registry_number_is_given_in_both_forms() {
        let set = What::Registry {
            change: RegistryChange::ValueSet,
            key: Untrusted::new("MACHINE\\SYSTEM\\ControlSet001\\Control\\Lsa"),
            value: Some(Untrusted::new("RunAsPPL")),
            data: Some(Untrusted::new("0x0")),
        };
        let event = record(Os::Windows, set);
        assert_eq!(event.categories, ["registry_set", "registry_event"]);
        assert_eq!(event.fields["TargetObject"], "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\RunAsPPL");
        assert_eq!(event.fields["Details"], serde_json::json!(["0x0", "DWORD (0x00000000)"]));
    }

    #[test]
    fn what_no_rule_is_written_for_has_no_log_source() {
        let listening = Network {
            direction: Direction::Listening,
            protocol: None,
            source: None,
            source_port: Some(445),
            destination: None,
            destination_port: None,
            succeeded: None,
        };
        let outgoing = Network { direction: Direction::Outgoing, ..listening.clone() };
        assert!(!record(Os::Windows, What::Network(listening)).has_source());
        assert!(!record(Os::Unknown, What::ProcessEnded).has_source());
        let event = record(Os::Linux, What::Network(outgoing));
        assert_eq!((event.product, event.categories), ("linux", &["network_connection"][..]));
        assert_eq!(event.fields["Initiated"], "true");
    }
}
