//! Recorded threats: takes the JSON of real consoles in, so that a client can be tried on real shapes. Accounts,
//! sites, groups and agents are made from what each threat says about its agent. Files that hold no threats in the
//! v2.1 form are left out and said to be so.

use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;
use crate::fleet::Language;
use crate::world::raise::set;
use crate::world::{Site, World, put, text};

/// The largest file that is read.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What came of one file.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub file: String,
    pub threats: usize,
    /// Why nothing or not everything was taken.
    pub left_out: Option<String>,
}

/// Takes in every `.json` file directly in `folder`, in the order of their names.
pub(crate) fn folder(world: &mut World, folder: &Path) -> io::Result<Vec<Loaded>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?.iter().map(fs::DirEntry::path).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let now = world.clock.now();
    Ok(files.iter().map(|path| file(world, path, now)).collect())
}

fn file(world: &mut World, path: &Path, now: Timestamp) -> Loaded {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match read(path) {
        Ok(document) => {
            let rows = rows(&document);
            let taken = rows.iter().filter(|row| take(world, row, now)).count();
            let left_out = (taken < rows.len() || taken == 0)
                .then(|| format!("{} of {} rows are no v2.1 threats", rows.len() - taken, rows.len()));
            Loaded { file: name, threats: taken, left_out }
        }
        Err(reason) => Loaded { file: name, threats: 0, left_out: Some(reason) },
    }
}

fn read(path: &Path) -> Result<Value, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE {
        return Err(format!("larger than {MAX_FILE} bytes"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("not JSON: {error}"))
}

/// The rows of a list reply, of a bare array, or of a single object.
fn rows(document: &Value) -> Vec<Value> {
    let inner = document.get("data").unwrap_or(document);
    inner.as_array().cloned().unwrap_or_else(|| vec![inner.clone()])
}

fn take(world: &mut World, row: &Value, now: Timestamp) -> bool {
    let realtime = &row["agentRealtimeInfo"];
    let id = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok());
    let (Some(threat), Some(agent), Some(account), Some(site)) =
        (id(&row["id"]), id(&realtime["agentId"]), id(&realtime["accountId"]), id(&realtime["siteId"]))
    else {
        return false;
    };
    if !row["threatInfo"].is_object() || world.threats.contains_key(&threat) {
        return false;
    }
    world.settle_in(account, site, realtime, now);
    world.adopt(agent, account, site, agent_doc(realtime));
    let mut doc = row.clone();
    for at in ["/threatInfo/createdAt", "/threatInfo/updatedAt", "/threatInfo/identifiedAt"] {
        // Lists compare times as texts, so all of them have to be in the printed form.
        if let Some(time) = clock::parse(text(&doc, at)) {
            set(&mut doc, at, clock::print(time).into());
        }
    }
    let at = clock::parse(text(&doc, "/threatInfo/createdAt")).unwrap_or(now);
    world.store(threat, agent, doc, None, at);
    true
}

impl World {
    /// Makes the account and site of a recorded agent, under their recorded ids.
    fn settle_in(&mut self, account: u64, site: u64, realtime: &Value, now: Timestamp) {
        let account_name = text(realtime, "/accountName").to_owned();
        if !self.accounts.iter().any(|known| known.id == account) {
            self.keep_account(account, &account_name, now);
        }
        if self.site(site).is_none() {
            let name = text(realtime, "/siteName").to_owned();
            let site = Site {
                id: site,
                account,
                key: name.clone(),
                language: Language::English,
                domain: text(realtime, "/agentDomain").to_owned(),
                external_ip: String::new(),
                doc: json!({"name": name, "accountName": account_name}),
            };
            self.keep_site(site, 1, now);
        }
    }
}

/// The reverse of the join: an agent as far as a threat describes it.
fn agent_doc(realtime: &Value) -> Value {
    let mut doc = json!({
        "id": realtime["agentId"], "uuid": realtime["agentUuid"], "computerName": realtime["agentComputerName"],
        "domain": realtime["agentDomain"], "agentVersion": realtime["agentVersion"], "osName": realtime["agentOsName"],
        "osRevision": realtime["agentOsRevision"], "osType": realtime["agentOsType"],
        "machineType": realtime["agentMachineType"], "infected": realtime["agentInfected"],
        "isActive": realtime["agentIsActive"], "isDecommissioned": realtime["agentIsDecommissioned"],
        "networkStatus": realtime["agentNetworkStatus"], "mitigationMode": realtime["agentMitigationMode"],
        "threatRebootRequired": realtime["rebootRequired"], "isUninstalled": false,
    });
    for same in [
        "accountId",
        "accountName",
        "siteId",
        "siteName",
        "groupId",
        "groupName",
        "activeThreats",
        "networkInterfaces",
        "operationalState",
        "scanStatus",
        "scanStartedAt",
        "scanFinishedAt",
        "scanAbortedAt",
        "userActionsNeeded",
    ] {
        put(&mut doc, same, realtime[same].clone());
    }
    doc
}
