//! Alerts through the poll path: the client reads pages, intake triages them into durable incidents, with their jobs.
//!
//! The console is replaced by pages made beforehand, so that its work is not measured; everything behind the HTTP door is
//! the code of production, with full synchronous commits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use domain::TenantId;
use domain::calendar::Calendar;
use domain::source::TimeSource as _;
use domain::tenant::{Contact, Email, Names, Tenant};
use engine::{Engine, Poller};
use outbound::{Allowed, Answer, Call, FarSide, Outbound, Secret, Unreachable};
use sentinelone::{Console, ReadToken, Reader};
use serde_json::{Value, json};
use store::Store;

use super::{Figures, Stopwatch, monotonic};
use crate::source::MachineTime;

const PAGE: usize = 1000;
const SITE: &str = "1700000000000000001";

pub(super) async fn measure(alerts: usize) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir().context("could not make a folder")?;
    let address = format!("sqlite:{}", folder.path().join("bench.db").display());
    let tenant = tenant()?;
    let pages = Pages::make(alerts);
    let engine = Engine::new(Store::open(&address).await?, [tenant.clone()], Calendar::japan());
    let poller = poller(&tenant.id, pages)?;

    let mut watch = Stopwatch::start();
    let mut more = true;
    while more {
        let lap = monotonic();
        more = poller.step(&engine, MachineTime.now()).await?.more;
        watch.lap(lap);
    }
    let figures = watch.stop("ingest", alerts)?;
    engine.store().close().await;

    // Counted again from the disk, not from what the run believed.
    let reopened = Store::open(&address).await?;
    let (kept, jobs) = (reopened.count_alerts().await?, reopened.job_counts().await?);
    let incidents = reopened.count_incidents().await?;
    reopened.close().await;
    let wanted = alerts as u64;
    ensure!(kept == wanted, "{kept} of {wanted} alerts were there after reopening");
    ensure!(incidents == wanted, "{incidents} incidents for {wanted} distinct alerts");
    ensure!(jobs.waiting >= wanted, "{} jobs for {wanted} incidents: notices are missing", jobs.waiting);
    Ok(figures)
}

fn tenant() -> anyhow::Result<Tenant> {
    let id: TenantId = "bench".parse()?;
    let names = |text: &str| Names { ja: text.into(), en: text.into() };
    let email = Email::try_from("security@bench.example".to_owned()).map_err(anyhow::Error::msg)?;
    let contact = Contact { email, department: None, title: None, name: names("Bench") };
    Ok(Tenant { contacts: vec![contact], connected: true, ..Tenant::offline(id) })
}

fn poller(tenant: &TenantId, pages: Pages) -> anyhow::Result<Poller> {
    let origin: outbound::Origin = "https://bench.example".parse()?;
    let settings = outbound::Settings::new(vec![Allowed::public(origin.clone())]);
    let scope = sentinelone::Scope::of_sites(&[SITE])?;
    let console = Console { origin, tenant: tenant.clone(), scope };
    let outbound = Outbound::in_process(&settings, Arc::new(pages));
    let reader = Reader::new(&console, ReadToken(Secret::new("bench")), outbound);
    Ok(Poller::new(tenant.clone(), reader, Duration::from_secs(24 * 3600)))
}

/// A console that only hands out pages made before the measurement.
#[derive(Debug)]
struct Pages(Vec<Vec<u8>>);

impl Pages {
    fn make(alerts: usize) -> Self {
        let count = alerts.div_ceil(PAGE);
        let page = |page: usize| {
            let last = (page + 1) * PAGE >= alerts;
            let threats: Vec<Value> = (page * PAGE..alerts.min((page + 1) * PAGE)).map(threat).collect();
            let next = if last { Value::Null } else { json!(format!("page-{}", page + 1)) };
            json!({"data": threats, "pagination": {"nextCursor": next, "totalItems": alerts}}).to_string().into_bytes()
        };
        Self((0..count).map(page).collect())
    }
}

impl FarSide for Pages {
    fn answer(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>> {
        Box::pin(async move {
            let wanted = call.url.split_once("cursor=page-").map_or(0, |(_, rest)| {
                rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap_or(0)
            });
            let body = self.0.get(wanted).cloned().ok_or(Unreachable::NoAnswer)?;
            Ok(Answer { status: 200, headers: Vec::new(), body })
        })
    }
}

/// A threat like those that are recorded: one in twenty is running ransomware, a fifth ran, the rest was caught by its looks.
fn threat(n: usize) -> Value {
    let start = MachineTime.now() - jiff::SignedDuration::from_hours(1);
    let at = start + jiff::SignedDuration::from_millis(i64::try_from(n).unwrap_or(0));
    let at = at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let id = format!("18{n:017}");
    let behavioural = n.is_multiple_of(5);
    let ransomware = n.is_multiple_of(20);
    let techniques: &[&str] = match (behavioural, ransomware) {
        (_, true) => &["T1486", "T1490"],
        (true, _) => &["T1055"],
        _ => &[],
    };
    let indicators: Vec<Value> = techniques
        .iter()
        .map(|t| {
            json!({"category": "General", "description": "Behaviour that was observed on the endpoint.", "ids": [n],
                   "tactics": [{"name": "Impact", "source": "MITRE", "techniques": [{"name": t, "link": ""}]}]})
        })
        .collect();
    json!({
        "id": id,
        "agentDetectionInfo": {"siteId": SITE, "siteName": "Bench", "agentUuid": format!("{n:032x}")},
        "agentRealtimeInfo": {
            "siteId": SITE, "siteName": "Bench", "agentId": format!("17{n:017}"), "agentComputerName": format!("PC-{n:06}"),
            "agentDomain": "BENCH", "agentOsType": "windows", "agentOsName": "Windows 11 Pro", "agentMachineType": "desktop",
            "agentNetworkStatus": "connected", "agentIsActive": true, "groupName": "Workstations", "agentVersion": "24.1.2.6",
            "networkInterfaces": [{"id": "1", "name": "Ethernet", "inet": ["192.0.2.10"], "inet6": [], "physical": ""}],
        },
        "indicators": indicators,
        "mitigationStatus": if ransomware { json!([]) } else {
            json!([{"action": "quarantine", "status": "success", "lastUpdate": at, "actionsCounters": null}])
        },
        "threatInfo": {
            "threatId": id, "threatName": format!("sample-{n}.exe"), "filePath": format!("\\Device\\HarddiskVolume3\\Users\\u\\Downloads\\sample-{n}.exe"),
            "sha1": format!("{:040x}", n + 1), "sha256": format!("{:064x}", n + 1), "md5": null, "fileSize": 120_000 + n,
            "storyline": format!("{n:016X}"), "classification": if ransomware { "Ransomware" } else { "Malware" },
            "classificationSource": "Static", "confidenceLevel": "malicious",
            "detectionType": if behavioural { "dynamic" } else { "static" },
            "detectionEngines": [{"key": if behavioural { "executables" } else { "pre_execution" }, "title": ""}],
            "engines": [if behavioural { "DBT - Executables" } else { "On-Write DFI" }], "initiatedBy": "agent_policy",
            "incidentStatus": "unresolved", "analystVerdict": "undefined",
            "mitigationStatus": if ransomware { "not_mitigated" } else { "mitigated" }, "mitigatedPreemptively": !behavioural,
            "processUser": "BENCH\\user", "originatorProcess": "explorer.exe",
            "maliciousProcessArguments": if behavioural { json!("sample.exe --run") } else { Value::Null },
            "cloudFilesHashVerdict": "provider_unknown", "fileVerificationType": "NotSigned", "isValidCertificate": false,
            "publisherName": "", "createdAt": at, "updatedAt": at, "identifiedAt": at,
        },
    })
}

/// The same alerts as domain types, for other benches.
pub(super) fn alerts(count: usize) -> anyhow::Result<Vec<domain::alert::Alert>> {
    let list: Vec<Value> = (0..count).map(threat).collect();
    let read = sentinelone::recorded::read(json!({"data": list}).to_string().as_bytes());
    ensure!(read.threats.len() == count, "a sample alert could not be read: {:?}", read.refused.first());
    Ok(read.threats.into_iter().map(|t| t.alert).collect())
}
