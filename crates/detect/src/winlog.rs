//! Windows event logs in Sigma's words: from the JSON of an EVTX record, or the flat JSON that forwarders write.
//!
//! The channel names the service, and Sysmon's, PowerShell's and some Security events also stand for one of Sigma's categories.
//! The tables below are that mapping. Security 5156 is left out of `network_connection` on purpose: it names programs by
//! device path, so that a rule's exceptions for `C:\Program Files` would not hold.

use domain::Untrusted;
use serde_json::{Map, Value};

use crate::event::{Categories, Event};

const MAX_FIELDS: usize = 512;

/// `None` when it is no Windows event: it has no channel or no event id.
pub fn event_of(record: &Value) -> Option<Event> {
    let fields = match record.get("Event") {
        Some(event) => of_evtx(event)?,
        None => of_flat(record)?,
    };
    let id = fields.get("EventRecordID").or_else(|| fields.get("RecordNumber")).map(plain).unwrap_or_default();
    let channel = fields.get("Channel")?.as_str()?.to_ascii_lowercase();
    let number = number(fields.get("EventID")?)?;
    let mut event = Event::new(Untrusted::new(&id), "windows", fields);
    event.service = service(&channel);
    let Value::Object(fields) = &mut event.fields else { return None };
    event.categories = match event.service {
        Some("sysmon") => sysmon(number, fields),
        Some("security") => security(number, fields),
        Some("powershell" | "powershell-classic") => powershell(number, fields),
        _ => &[],
    };
    Some(event)
}

/// `{"Event": {"System": …, "EventData" | "UserData": …}}` laid flat; the data's own names come first.
fn of_evtx(event: &Value) -> Option<Map<String, Value>> {
    let system = event.get("System")?;
    let mut fields = Map::new();
    for (name, value) in event.get("EventData").and_then(Value::as_object).into_iter().flatten() {
        put(&mut fields, name, value);
    }
    let user_data = event.get("UserData").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in user_data.filter_map(|(_, inner)| inner.as_object()).flatten() {
        put(&mut fields, name, value);
    }
    for name in ["Channel", "EventID", "EventRecordID", "Computer", "Level", "Keywords", "Task", "Opcode"] {
        if let Some(value) = system.get(name) {
            fields.insert(name.to_owned(), inner(value));
        }
    }
    let attribute = |of: &str, name: &str| system.get(of)?.get("#attributes")?.get(name).cloned();
    for (field, of, name) in [
        ("Provider_Name", "Provider", "Name"),
        ("UserID", "Security", "UserID"),
        ("TimeCreated", "TimeCreated", "SystemTime"),
    ] {
        if let Some(value) = attribute(of, name) {
            fields.entry(field).or_insert(value);
        }
    }
    Some(fields)
}

/// Forwarders keep the data's names and add their own (`SourceName`, `Hostname`).
fn of_flat(record: &Value) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for (name, value) in record.as_object()? {
        put(&mut fields, name, value);
    }
    for (field, others) in
        [("Provider_Name", &["SourceName", "ProviderName", "Provider"][..]), ("Computer", &["Hostname"])]
    {
        if !fields.contains_key(field)
            && let Some(value) = others.iter().find_map(|other| fields.get(*other)).cloned()
        {
            fields.insert(field.to_owned(), value);
        }
    }
    Some(fields)
}

fn put(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    if name.starts_with('#') || fields.len() >= MAX_FIELDS {
        return;
    }
    fields.insert(name.to_owned(), inner(value));
}

/// `{"#text": x, "#attributes": …}` is `x`.
fn inner(value: &Value) -> Value {
    value.get("#text").unwrap_or(value).clone()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn sysmon(number: u64, fields: &mut Map<String, Value>) -> Categories {
    // Old forwarders write GUID in capitals; rules know one spelling.
    for (from, to) in [("SourceProcessGUID", "SourceProcessGuid"), ("TargetProcessGUID", "TargetProcessGuid")] {
        alias(fields, from, to);
    }
    match number {
        1 => &["process_creation"],
        2 => &["file_change"],
        3 => &["network_connection"],
        4 | 16 => &["sysmon_status"],
        5 => &["process_termination"],
        6 => &["driver_load"],
        7 => &["image_load"],
        8 => &["create_remote_thread"],
        9 => &["raw_access_thread"],
        10 => &["process_access"],
        11 => &["file_event"],
        12 if is_deletion(fields) => &["registry_delete", "registry_event"],
        12 => &["registry_add", "registry_event"],
        13 => &["registry_set", "registry_event"],
        14 => &["registry_rename", "registry_event"],
        15 => &["create_stream_hash"],
        17 | 18 => &["pipe_created"],
        19..=21 => &["wmi_event"],
        22 => &["dns_query"],
        23 | 26 => &["file_delete"],
        24 => &["clipboard_capture"],
        25 => &["process_tampering"],
        27 => &["file_block_executable"],
        28 => &["file_block_shredding"],
        29 => &["file_executable_detected"],
        255 => &["sysmon_error"],
        _ => &[],
    }
}

fn is_deletion(fields: &Map<String, Value>) -> bool {
    fields.get("EventType").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("Delete"))
}

/// The audit's words beside Sigma's. Its own names stay: rules of the service `security` use them.
fn security(number: u64, fields: &mut Map<String, Value>) -> Categories {
    match number {
        4688 => {
            alias(fields, "NewProcessName", "Image");
            alias(fields, "ParentProcessName", "ParentImage");
            let account = ["SubjectDomainName", "SubjectUserName"].map(|f| fields.get(f).and_then(Value::as_str));
            if let [Some(domain), Some(user)] = account {
                let user = format!("{domain}\\{user}");
                fields.entry("User").or_insert(Value::String(user));
            }
            if let Some(level) = fields.get("MandatoryLabel").and_then(Value::as_str).and_then(integrity) {
                fields.entry("IntegrityLevel").or_insert_with(|| level.into());
            }
            &["process_creation"]
        }
        4657 => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            let target = format!("{}\\{}", registry_key(text("ObjectName")), text("ObjectValueName"));
            let deleted = text("OperationType") == "%%1906";
            fields.entry("TargetObject").or_insert(Value::String(target));
            alias(fields, "NewValue", "Details");
            alias(fields, "ProcessName", "Image");
            let kind = if deleted { "DeleteValue" } else { "SetValue" };
            fields.entry("EventType").or_insert_with(|| kind.into());
            if deleted { &["registry_delete", "registry_event"] } else { &["registry_set", "registry_event"] }
        }
        _ => &[],
    }
}

fn powershell(number: u64, fields: &mut Map<String, Value>) -> Categories {
    // Classic events have one list without names; flat forwarders keep it as the message.
    if number <= 800 {
        alias(fields, "Message", "Data");
    }
    match number {
        400 => &["ps_classic_start"],
        600 => &["ps_classic_provider_start"],
        800 => &["ps_classic_script"],
        4103 => &["ps_module"],
        4104 => &["ps_script"],
        _ => &[],
    }
}

fn alias(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if !fields.contains_key(to)
        && let Some(value) = fields.get(from).cloned()
    {
        fields.insert(to.to_owned(), value);
    }
}

/// Windows' well-known labels in Sysmon's words.
fn integrity(label: &str) -> Option<&'static str> {
    Some(match label {
        "S-1-16-4096" => "Low",
        "S-1-16-8192" => "Medium",
        "S-1-16-8448" => "Medium Plus",
        "S-1-16-12288" => "High",
        "S-1-16-16384" => "System",
        _ => return None,
    })
}

/// A key in Sysmon's words, which rules use: `HKLM\…`, `HKU\…`, and the control set in use by its name.
pub(crate) fn registry_key(key: &str) -> String {
    let rest = key.trim_start_matches('\\');
    let upper = rest.to_ascii_uppercase();
    let hives = [
        ("REGISTRY\\MACHINE", "HKLM"),
        ("REGISTRY\\USER", "HKU"),
        ("HKEY_LOCAL_MACHINE", "HKLM"),
        ("HKEY_USERS", "HKU"),
        ("HKEY_CURRENT_USER", "HKCU"),
        ("HKEY_CLASSES_ROOT", "HKCR"),
        ("MACHINE", "HKLM"),
        ("USER", "HKU"),
    ];
    let whole = |name: &str| upper.starts_with(name) && matches!(upper.as_bytes().get(name.len()), None | Some(b'\\'));
    // Hive names are ASCII, so that the same length ends at a character in the key as it was written.
    let named =
        hives.iter().find(|(name, _)| whole(name)).map(|(name, short)| format!("{short}{}", &rest[name.len()..]));
    let key = named.unwrap_or_else(|| key.to_owned());
    let upper = key.to_ascii_uppercase();
    for set in ["\\CONTROLSET001\\", "\\CONTROLSET002\\"] {
        if let Some(place) = upper.find(set) {
            return format!("{}\\CurrentControlSet\\{}", &key[..place], &key[place + set.len()..]);
        }
    }
    key
}

/// Sigma's names of the logs, as its taxonomy has them.
fn service(channel: &str) -> Option<&'static str> {
    SERVICES.iter().find(|(of, _)| *of == channel).map(|(_, name)| *name)
}

/// Channels in lower case.
const SERVICES: &[(&str, &str)] = &[
    ("microsoft-windows-sysmon/operational", "sysmon"),
    ("security", "security"),
    ("system", "system"),
    ("application", "application"),
    ("microsoft-windows-powershell/operational", "powershell"),
    ("powershellcore/operational", "powershell"),
    ("windows powershell", "powershell-classic"),
    ("microsoft-windows-taskscheduler/operational", "taskscheduler"),
    ("microsoft-windows-wmi-activity/operational", "wmi"),
    ("microsoft-windows-windows defender/operational", "windefend"),
    ("microsoft-windows-windows firewall with advanced security/firewall", "firewall-as"),
    ("microsoft-windows-bits-client/operational", "bits-client"),
    ("microsoft-windows-dns-client/operational", "dns-client"),
    ("microsoft-windows-dns client events/operational", "dns-client"),
    ("dns server", "dns-server"),
    ("microsoft-windows-dns-server/audit", "dns-server-audit"),
    ("microsoft-windows-dns-server/analytical", "dns-server-analytic"),
    ("microsoft-windows-appxdeploymentserver/operational", "appxdeployment-server"),
    ("microsoft-windows-appxpackaging/operational", "appxpackaging-om"),
    ("microsoft-windows-appmodel-runtime/admin", "appmodel-runtime"),
    ("microsoft-windows-codeintegrity/operational", "codeintegrity-operational"),
    ("microsoft-windows-driverframeworks-usermode/operational", "driver-framework"),
    ("microsoft-windows-ntlm/operational", "ntlm"),
    ("microsoft-windows-applocker/exe and dll", "applocker"),
    ("microsoft-windows-applocker/msi and script", "applocker"),
    ("microsoft-windows-applocker/packaged app-deployment", "applocker"),
    ("microsoft-windows-applocker/packaged app-execution", "applocker"),
    ("microsoft-windows-capi2/operational", "capi2"),
    (
        "microsoft-windows-certificateservicesclient-lifecycle-system/operational",
        "certificateservicesclient-lifecycle-system",
    ),
    ("microsoft-windows-diagnosis-scripted/operational", "diagnosis-scripted"),
    ("microsoft-iis-configuration/operational", "iis-configuration"),
    ("msexchange management", "msexchange-management"),
    ("microsoft-windows-ldap-client/debug", "ldap"),
    ("microsoft-windows-ldap-client/debug ", "ldap"),
    ("microsoft-windows-lsa/operational", "lsa-server"),
    ("openssh/operational", "openssh"),
    ("microsoft-windows-printservice/admin", "printservice-admin"),
    ("microsoft-windows-printservice/operational", "printservice-operational"),
    ("microsoft-windows-security-mitigations/kernel mode", "security-mitigations"),
    ("microsoft-windows-security-mitigations/user mode", "security-mitigations"),
    ("microsoft-servicebus-client", "microsoft-servicebus-client"),
    ("microsoft-servicebus-client/admin", "microsoft-servicebus-client"),
    ("microsoft-servicebus-client/operational", "microsoft-servicebus-client"),
    ("microsoft-windows-shell-core/operational", "shell-core"),
    ("microsoft-windows-smbclient/connectivity", "smbclient-connectivity"),
    ("microsoft-windows-smbclient/security", "smbclient-security"),
    ("microsoft-windows-smbserver/connectivity", "smbserver-connectivity"),
    ("microsoft-windows-terminalservices-localsessionmanager/operational", "terminalservices-localsessionmanager"),
    (
        "microsoft-windows-terminalservices-remoteconnectionmanager/operational",
        "terminalservices-remoteconnectionmanager",
    ),
    ("microsoft-windows-hyper-v-worker/admin", "hyper-v-worker"),
    ("microsoft-windows-kernel-eventtracing/admin", "kernel-event-tracing"),
    ("microsoft-windows-kernel-shimengine/operational", "kernel-shimengine"),
    ("microsoft-windows-winrm/operational", "winrm"),
    ("microsoft-windows-sense/operational", "sense"),
    ("microsoft-windows-vhdmp/operational", "vhdmp"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_audited_process_start_speaks_sysmons_words_too() {
        let event = event_of(&json!({"Event": {
            "System": {"Channel": "Security", "EventID": {"#text": "4688"}, "EventRecordID": 12},
            "EventData": {
                "NewProcessName": "C:\\Windows\\System32\\cmd.exe", "ParentProcessName": "C:\\Windows\\explorer.exe",
                "SubjectDomainName": "ACME", "SubjectUserName": "sato", "MandatoryLabel": "S-1-16-12288",
            },
        }}))
        .unwrap();
        assert_eq!((event.service, event.categories), (Some("security"), &["process_creation"][..]));
        assert_eq!(event.fields["Image"], "C:\\Windows\\System32\\cmd.exe");
        assert_eq!(event.fields["NewProcessName"], event.fields["Image"]);
        assert_eq!((&event.fields["User"], &event.fields["IntegrityLevel"]), (&json!("ACME\\sato"), &json!("High")));
    }

    #[test]
    fn a_flat_event_is_the_same_as_its_evtx_record() {
        let flat = event_of(&json!({
            "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": "12", "EventType": "DeleteKey",
            "TargetObject": "HKLM\\x", "SourceName": "Microsoft-Windows-Sysmon",
        }))
        .unwrap();
        assert_eq!(flat.categories, ["registry_delete", "registry_event"]);
        assert_eq!(flat.fields["Provider_Name"], "Microsoft-Windows-Sysmon");
        for no_event in [json!(null), json!([]), json!({"Channel": 4, "EventID": 1}), json!({"Event": {"System": []}})]
        {
            assert!(event_of(&no_event).is_none(), "{no_event}");
        }
    }

    #[test]
    fn registry_keys_are_written_as_rules_expect_them() {
        let service = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\x";
        assert_eq!(registry_key("\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\x"), service);
        assert_eq!(registry_key("MACHINE\\SYSTEM\\ControlSet001\\Services\\x"), service);
        assert_eq!(registry_key("USER\\S-1-5-21-1\\Software"), "HKU\\S-1-5-21-1\\Software");
        assert_eq!(registry_key("USERDATA\\x"), "USERDATA\\x");
    }
}
