//! Misconfiguration findings: weak settings that follow from what an endpoint is for, and the detection mode it is in.

use serde_json::{Value, json};

use super::findings::{self, Kind};
use super::{Ask, Root};
use crate::digest;
use crate::fleet::Role;
use crate::world::{Agent, text};

pub(super) const SDL: &str = include_str!("misconfigurations.graphql");

pub(super) const ROOTS: &[(&str, Root)] = &[
    ("misconfiguration", |ask| findings::get::<Misconfiguration>(ask)),
    ("misconfigurations", list),
    ("misconfigurationNotes", |ask| findings::notes::<Misconfiguration>(ask)),
    ("misconfigurationHistory", |ask| findings::history::<Misconfiguration>(ask)),
];

struct Misconfiguration;

fn list(ask: &mut Ask<'_>) -> Result<Value, String> {
    let view = ask.args["viewType"].as_str().unwrap_or("ALL").to_owned();
    findings::list::<Misconfiguration>(ask, |doc| view == "ALL" || text(doc, "/view") == view)
}

impl Kind for Misconfiguration {
    const NAME: &'static str = "misconfiguration";
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("commitedBy", "/evidence/commitedBy"),
        ("complianceStandards", "/complianceStandards"),
        ("dataClassificationCategories", "/dataClassificationCategories"),
        ("dataClassificationDataTypes", "/dataClassificationDataTypes"),
        ("enforcementAction", "/enforcementAction"),
        ("environment", "/environment"),
        ("eventTime", "/eventTime"),
        ("exposureReason", "/exposureReason"),
        ("findingType", "/findingType"),
        ("hasClassifiedData", "/hasClassifiedData"),
        ("iacFramework", "/evidence/iacFramework"),
        ("misconfigurationType", "/misconfigurationType"),
        ("mitigable", "/mitigable"),
        ("organization", "/organization"),
        ("requestCategory", "/admissionRequest/category"),
        ("requestResourceName", "/admissionRequest/resourceName"),
        ("requestResourceType", "/admissionRequest/resourceType"),
        ("requestUserName", "/admissionRequest/userName"),
        ("secretHash", "/evidence/secret/hash"),
        ("secretType", "/evidence/secret/type"),
        ("secretValidity", "/evidence/secret/valid"),
        ("verifiedExploitable", "/cnapp/verifiedExploitable"),
    ];

    fn on(agent: &Agent) -> Vec<Value> {
        RULES.iter().filter(|rule| (rule.applies)(agent)).map(|rule| write(rule, agent)).collect()
    }
}

/// A setting that is looked at.
struct Rule {
    id: &'static str,
    name: &'static str,
    why: &'static str,
    steps: &'static str,
    severity: &'static str,
    view: &'static str,
    product: &'static str,
    standards: &'static [&'static str],
    /// Technique and tactic, each with number and name.
    attack: [&'static str; 4],
    port: Option<u16>,
    mitigable: bool,
    applies: fn(&Agent) -> bool,
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { id: "win-ldap-signing", name: "LDAP security: signing is not required", why: "A log-on that is relayed to the directory is accepted.", steps: "Set `Domain controller: LDAP server signing requirements` to `Require signing`.", severity: "HIGH", view: "IDENTITY", product: "Identity Security", standards: &["CIS Benchmark", "ISO 27001"], attack: ["T1557", "Adversary-in-the-Middle", "TA0006", "Credential Access"], port: Some(389), mitigable: true, applies: |agent| agent.role == Role::DomainController },
    Rule { id: "s1-detect-only", name: "The agent detects but does not protect", why: "Malicious processes are reported and left running.", steps: "Change the group's policy from detect to protect.", severity: "CRITICAL", view: "OFFENSIVE_SECURITY", product: "Endpoint Security Posture", standards: &["NIST CSF"], attack: ["T1562.001", "Disable or Modify Tools", "TA0005", "Defense Evasion"], port: None, mitigable: true, applies: |agent| agent.doc["mitigationMode"] == "detect" },
    Rule { id: "win-smb-signing", name: "SMB signing is not required", why: "A session to the file server can be taken over on the way.", steps: "Set `Microsoft network server: Digitally sign communications (always)`.", severity: "MEDIUM", view: "OFFENSIVE_SECURITY", product: "Endpoint Security Posture", standards: &["CIS Benchmark", "PCI DSS"], attack: ["T1557.001", "LLMNR/NBT-NS Poisoning and SMB Relay", "TA0006", "Credential Access"], port: Some(445), mitigable: true, applies: |agent| agent.role == Role::FileServer },
    Rule { id: "lin-ssh-password", name: "SSH accepts passwords from public networks", why: "Passwords can be guessed from anywhere.", steps: "Set `PasswordAuthentication no` and use keys.", severity: "HIGH", view: "OFFENSIVE_SECURITY", product: "Endpoint Security Posture", standards: &["CIS Benchmark", "PCI DSS"], attack: ["T1110.001", "Password Guessing", "TA0006", "Credential Access"], port: Some(22), mitigable: true, applies: |agent| agent.role == Role::LinuxServer },
    Rule { id: "secret-in-script", name: "A password stands in a deployment script", why: "Whoever may read the script may use the account.", steps: "Change the password and read it from a vault.", severity: "HIGH", view: "SECRET_SCANNING", product: "Secret Scanning", standards: &["ISO 27001"], attack: ["T1552.001", "Credentials In Files", "TA0006", "Credential Access"], port: None, mitigable: false, applies: |agent| agent.role == Role::AppServer },
    Rule { id: "backup-in-domain", name: "The backup server is a member of the domain it backs up", why: "Whoever owns the domain owns the copies.", steps: "Move the backup server to a management domain or a workgroup.", severity: "CRITICAL", view: "OFFENSIVE_SECURITY", product: "Endpoint Security Posture", standards: &["NIST CSF"], attack: ["T1490", "Inhibit System Recovery", "TA0040", "Impact"], port: None, mitigable: false, applies: |agent| agent.role == Role::BackupServer },
    Rule { id: "win-local-admin", name: "Local administrators share one password", why: "One stolen hash opens every workstation.", steps: "Use LAPS.", severity: "LOW", view: "IDENTITY", product: "Identity Security", standards: &["CIS Benchmark"], attack: ["T1550.002", "Pass the Hash", "TA0008", "Lateral Movement"], port: None, mitigable: true, applies: |agent| agent.role == Role::Desktop && digest::number(&agent.host).is_multiple_of(5) },
];

fn write(rule: &Rule, agent: &Agent) -> Value {
    let [technique, technique_name, tactic, tactic_name] = rule.attack;
    let address = &agent.doc["networkInterfaces"][0]["inet"][0];
    let standards: Vec<Value> = rule.standards.iter().map(|title| json!({"title": title, "url": link(rule)})).collect();
    let secret = rule.view == "SECRET_SCANNING";
    let file = secret.then_some("deploy.ps1");
    json!({
        "externalId": rule.id, "name": rule.name, "description": rule.why, "severity": rule.severity, "view": rule.view,
        "product": rule.product, "vendor": "SentinelOne", "eventTime": agent.doc["registeredAt"], "environment": "Production",
        "cnapp": {
            "policy": {"id": rule.id, "name": rule.name, "description": rule.why, "version": "1", "group": rule.product},
            "verifiedExploitable": false, "autoRemediation": false, "haConnectionId": null, "haTemplateId": null,
        },
        "compliance": {
            "standards": rule.standards, "requirements": [], "complianceStandards": standards, "complianceReferences": [], "status": "FAIL",
        },
        "complianceStandards": rule.standards,
        "remediation": {"mitigable": rule.mitigable, "mitigationSteps": rule.steps, "references": []},
        "failedRules": [{
            "name": rule.name, "description": rule.why, "severity": rule.severity, "impact": rule.why, "compliance": rule.standards,
            "recommendedAction": rule.steps, "enforcementSettings": "DETECT",
        }],
        "findingData": {
            "properties": [{"name": "host", "value": agent.host}], "exposureReason": rule.why, "context": {"rule": rule.id},
        },
        "findingType": "MISCONFIGURATION", "misconfigurationType": rule.view, "mitigable": rule.mitigable,
        "mitreAttacks": [{
            "techniqueId": technique, "techniqueName": technique_name, "tacticUid": tactic, "tacticName": tactic_name,
            "techniqueUrl": format!("https://attack.mitre.org/techniques/{}/", technique.replace('.', "/")),
        }],
        "dataClassificationCategories": [], "dataClassificationDataTypes": [], "hasClassifiedData": false,
        "enforcementAction": "DETECT",
        "evidence": {
            "fileName": file, "fileType": file.map(|_| "PowerShell"), "fileUrl": null, "iacFramework": null, "ipAddress": address,
            "port": rule.port, "subdomain": null, "commitedBy": file.map(|_| text(&agent.doc, "/osUsername")),
            "secret": file.map(|_| json!({"type": "PASSWORD", "hash": digest::sha256(&agent.host), "valid": true})),
        },
        "exploitId": null, "exposureId": null, "exposureReason": rule.why, "organization": agent.doc["accountName"],
        "resourceUid": agent.doc["uuid"], "admissionRequest": null,
    })
}

fn link(rule: &Rule) -> String {
    format!("https://attack.mitre.org/techniques/{}/", rule.attack[0].replace('.', "/"))
}
