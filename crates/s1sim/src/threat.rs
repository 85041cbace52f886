//! A threat to be raised: the builder that scenarios and tests write. It says what was found and where; the world
//! adds ids, times, the agent's facts and the console's own state. Field values are those of recorded threats.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::digest;
use crate::telemetry::Story;

/// What an agent will report. Everything has a sensible default; `set` reaches the rest.
#[derive(Clone, Debug)]
pub struct Threat {
    pub(crate) host: String,
    /// Members of `threatInfo` that the builder decides.
    pub(crate) info: Map<String, Value>,
    pub(crate) indicators: Vec<Value>,
    pub(crate) outcome: Outcome,
    /// Threats with the same label on one agent share a storyline; without a label each has its own.
    pub(crate) storyline: Option<String>,
    /// Later overrides of the whole object, by JSON pointer.
    pub(crate) overrides: Vec<(String, Value)>,
    pub(crate) scenario: Option<String>,
    /// Merged over the finished object (RFC 7386), for threats that come as JSON.
    pub(crate) patch: Option<Value>,
    pub(crate) story: Option<Box<Story>>,
}

/// What the agent had already done by itself when it reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    NotMitigated,
    /// Killed and quarantined after it ran.
    Mitigated,
    /// Quarantined before it ran.
    Quarantined,
    /// Stopped before anything ran; the console calls it mitigated pre-emptively.
    Blocked,
}

/// The detection engines, each with the three names that the API uses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Behavioral,
    OnWriteStatic,
    OnWriteStaticSuspicious,
    Reputation,
    Cloud,
    Documents,
    LateralMovement,
    UnwantedApplications,
}

impl Engine {
    /// The legacy title in `engines`, the key and the title in `detectionEngines`. The last three engines' titles
    /// were not seen in recorded data.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Behavioral => ("DBT - Executables", "executables", "Behavioral AI"),
            Self::OnWriteStatic => ("On-Write DFI", "pre_execution", "On-Write Static AI"),
            Self::OnWriteStaticSuspicious => {
                ("On-Write DFI - Suspicious", "pre_execution_suspicious", "On-Write Static AI - Suspicious")
            }
            Self::Reputation => ("Reputation", "reputation", "Reputation"),
            Self::Cloud => ("SentinelOne Cloud", "sentinelone_cloud", "SentinelOne Cloud"),
            Self::Documents => ("Documents, Scripts", "data_files", "Documents, Scripts"),
            Self::LateralMovement => ("Lateral Movement", "lateral_movement", "Lateral Movement"),
            Self::UnwantedApplications => ("PUA", "pup", "Potentially Unwanted Applications"),
        }
    }

    /// Detection type and classification source that go with the engine.
    fn manner(self) -> (&'static str, &'static str) {
        match self {
            Self::Behavioral | Self::Documents | Self::LateralMovement => ("dynamic", "Behavioral"),
            Self::OnWriteStatic | Self::OnWriteStaticSuspicious => ("static", "Static"),
            Self::Reputation | Self::Cloud => ("static", "Cloud"),
            Self::UnwantedApplications => ("static", "Engine"),
        }
    }
}

impl Threat {
    /// A malicious executable of the given name in the user's download folder on `host`, unmitigated.
    pub fn new(host: &str, file: &str, engine: Engine) -> Self {
        let (legacy, key, title) = engine.names();
        let (detection_type, source) = engine.manner();
        let known = matches!(engine, Engine::Reputation | Engine::Cloud);
        let info = json!({
            "engines": [legacy],
            "detectionEngines": [{"key": key, "title": title}],
            "detectionType": detection_type,
            "classification": "Malware",
            "classificationSource": source,
            "confidenceLevel": "malicious",
            "cloudFilesHashVerdict": if known { "black" } else { "provider_unknown" },
            "initiatedBy": "agent_policy",
            "fileVerificationType": "NotSigned",
            "isFileless": false,
        });
        let threat = Self {
            host: host.to_owned(),
            info: match info {
                Value::Object(info) => info,
                _ => Map::new(),
            },
            indicators: Vec::new(),
            outcome: Outcome::NotMitigated,
            storyline: None,
            overrides: Vec::new(),
            scenario: None,
            patch: None,
            story: None,
        };
        threat.file(file).path(&format!(r"\Device\HarddiskVolume3\Users\{{user}}\Downloads\{file}")).hashed_from(file)
    }

    /// Running ransomware that nobody has stopped: two signs, malicious, behavioural.
    pub fn ransomware(host: &str) -> Self {
        Self::new(host, "invoice_viewer.exe", Engine::Behavioral)
            .classified("Ransomware")
            .ran(r"C:\Users\{user}\Downloads\invoice_viewer.exe --all-drives", "explorer.exe")
            .indicator(indicator(
                "Ransomware",
                "Files were encrypted in many folders within seconds.",
                &[403],
                &[("Impact", &["T1486"])],
            ))
            .indicator(indicator("Ransomware", "Shadow copies were deleted.", &[405], &[("Impact", &["T1490"])]))
    }

    /// A file no source knows, found while it was written and put into quarantine. It never ran.
    pub fn static_unknown(host: &str) -> Self {
        Self::new(host, "label_print_tool.exe", Engine::OnWriteStaticSuspicious)
            .suspicious()
            .outcome(Outcome::Quarantined)
    }

    /// A threat given as JSON in the API's own form, merged over a plain behavioural one.
    pub fn from_json(host: &str, patch: Value) -> Self {
        Self { patch: Some(patch), ..Self::new(host, "sample.exe", Engine::Behavioral) }
    }

    pub fn file(self, name: &str) -> Self {
        let extension = name.rsplit_once('.').map(|(_, end)| end.to_uppercase()).unwrap_or_default();
        let kind = match extension.as_str() {
            "EXE" | "DLL" | "SCR" | "SYS" | "MSI" => "Executable",
            "DOC" | "DOCX" | "DOCM" | "XLS" | "XLSM" | "XLSX" | "PDF" | "RTF" => "Document",
            _ => "Unknown",
        };
        let size = 40_000 + digest::number(name) % 3_000_000;
        self.info("threatName", name)
            .info("fileExtension", extension)
            .info("fileExtensionType", kind)
            .info("fileSize", size)
    }

    /// The file's device path. `{user}` becomes the host's user here and in command lines.
    pub fn path(self, path: &str) -> Self {
        self.info("filePath", path)
    }

    /// Derives SHA-1, SHA-256 and MD5 from a label. The same label is the same file on every host.
    pub fn hashed_from(self, label: &str) -> Self {
        let (sha1, sha256, md5) = (digest::sha1(label), digest::sha256(label), digest::md5(label));
        self.info("sha1", sha1).info("sha256", sha256).info("md5", md5)
    }

    pub fn classified(self, classification: &str) -> Self {
        self.info("classification", classification)
    }

    pub fn suspicious(self) -> Self {
        self.info("confidenceLevel", "suspicious")
    }

    /// The reputation service knows the file as bad.
    pub fn known_bad(self) -> Self {
        self.info("cloudFilesHashVerdict", "black")
    }

    /// It ran: with this command line, started by that process.
    pub fn ran(self, command_line: &str, parent: &str) -> Self {
        self.info("maliciousProcessArguments", command_line).info("originatorProcess", parent)
    }

    pub fn signed_by(self, publisher: &str) -> Self {
        self.info("publisherName", publisher)
            .info("certificateId", publisher)
            .info("isValidCertificate", true)
            .info("fileVerificationType", "SignedVerified")
    }

    pub fn initiated_by(self, initiator: &str) -> Self {
        self.info("initiatedBy", initiator)
    }

    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub fn storyline(mut self, label: &str) -> Self {
        self.storyline = Some(label.to_owned());
        self
    }

    /// What endpoints recorded around it.
    pub(crate) fn told_by(mut self, story: Story) -> Self {
        self.story = Some(Box::new(story));
        self
    }

    pub fn indicator(mut self, indicator: Value) -> Self {
        self.indicators.push(indicator);
        self
    }

    /// Sets a member of `threatInfo`.
    pub fn info(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.info.insert(member.to_owned(), value.into());
        self
    }

    /// Overrides any value of the finished object, e.g. `/agentDetectionInfo/agentDomain`.
    pub fn set(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.overrides.push((pointer.to_owned(), value.into()));
        self
    }
}

/// A PowerShell command as `-EncodedCommand` wants it: UTF-16, little end first, in base64.
pub(crate) fn encoded_command(script: &str) -> String {
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    BASE64_STANDARD.encode(bytes)
}

/// What happens to a raised threat later: more behaviour is seen, a member changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub(crate) info: Map<String, Value>,
    pub(crate) indicators: Vec<Value>,
}

impl Change {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn indicator(mut self, indicator: Value) -> Self {
        self.indicators.push(indicator);
        self
    }

    pub fn info(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.info.insert(member.to_owned(), value.into());
        self
    }
}

/// One entry of `indicators`: a category, a sentence, the vendor's numbers, and MITRE techniques by tactic.
pub fn indicator(category: &str, description: &str, ids: &[u32], tactics: &[(&str, &[&str])]) -> Value {
    let tactics: Vec<Value> = tactics
        .iter()
        .map(|(tactic, techniques)| {
            let techniques: Vec<Value> = techniques
                .iter()
                .map(|name| json!({"name": name, "link": format!("https://attack.mitre.org/techniques/{}/", name.replace('.', "/"))}))
                .collect();
            json!({"name": tactic, "source": "MITRE", "techniques": techniques})
        })
        .collect();
    json!({"category": category, "description": description, "ids": ids, "tactics": tactics})
}
