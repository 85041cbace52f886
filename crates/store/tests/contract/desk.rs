//! What the stories work with: tenants, alerts, and incidents that `domain` decided, taken in the way `engine` does it.

use std::sync::OnceLock;

use domain::alert::{
    Alert, Classification, Confidence, ConsoleState, Detection, Engine, File, Hash, Kind, Mitigation, Process, Source,
};
use domain::calendar::Calendar;
use domain::endpoint::{Endpoint, Machine, Network, Os};
use domain::incident::{Command, Context, Incident, Visibility};
use domain::tenant::Tenant;
use domain::{AgentId, AlertId, IncidentId, PersonId, TenantId, Timestamp, Untrusted, Verdict};
use store::{AlertRow, Error, Store, Work};

/// A Tuesday morning in Tokyo.
pub fn morning() -> Timestamp {
    "2026-10-06T01:00:00Z".parse().expect("a time")
}

pub fn minutes(n: i64) -> Timestamp {
    morning() + jiff::SignedDuration::from_mins(n)
}

pub fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a tenant id")
}

pub fn person(name: &str) -> PersonId {
    PersonId::new(name).expect("a person id")
}

/// A customer with a console, so that decisions lead to jobs.
pub fn customer(id: &TenantId) -> Tenant {
    Tenant { connected: true, ..Tenant::offline(id.clone()) }
}

fn calendar() -> &'static Calendar {
    static CALENDAR: OnceLock<Calendar> = OnceLock::new();
    CALENDAR.get_or_init(Calendar::japan)
}

/// Static, not executed: its incident asks for quarantine.
pub fn alert(n: u32) -> Alert {
    Alert {
        id: AlertId::new(&format!("alert-{n}")).expect("an alert id"),
        source: Source::Threat,
        version: morning(),
        detected_at: morning(),
        created_at: morning(),
        name: Untrusted::new("Gen.Malware"),
        endpoint: Endpoint {
            agent: AgentId::new(&format!("agent-{n}")).expect("an agent id"),
            name: Untrusted::new(&format!("ws-{n}")),
            domain: None,
            os: Os::Windows,
            os_name: None,
            machine: Machine::Desktop,
            group: None,
            site: None,
            last_user: Some(Untrusted::new("山田")),
            addresses: Vec::new(),
            agent_version: None,
            network: Network::Connected,
            online: Some(true),
        },
        file: File {
            path: Some(Untrusted::new("C:\\Users\\山田\\invoice.exe")),
            sha256: Hash::parse(&format!("{:064x}", n + 1)),
            ..File::default()
        },
        process: Process::default(),
        detection: Detection {
            kind: Kind::Static,
            engines: vec![Engine::StaticOnWrite],
            confidence: Confidence::Malicious,
            classification: Classification::Malware,
            ..Detection::default()
        },
        mitigation: Mitigation::default(),
        console: ConsoleState::default(),
        storyline: None,
    }
}

/// Ransomware at work: its incident is grave.
pub fn ransomware(n: u32) -> Alert {
    let mut alert = alert(n);
    alert.detection.kind = Kind::Behavioural;
    alert.detection.engines = vec![Engine::Behavioural];
    alert.detection.classification = Classification::Ransomware;
    alert.detection.techniques =
        ["T1486", "T1490", "T1489"].into_iter().map(|t| t.parse().expect("a technique")).collect();
    alert
}

/// Opens an incident for an alert within a unit of work.
pub async fn open(work: &mut Work, tenant: &TenantId, alert: &Alert, now: Timestamp) -> Incident {
    let customer = customer(tenant);
    let context = Context { tenant: &customer, roster: &domain::oncall::NOBODY, calendar: calendar(), now };
    let id = work.next_incident_id(2026).await.expect("a number");
    let (incident, recorded) = Incident::open(id, alert.clone(), None, Vec::new(), context);
    let effects = incident.effects(None, &recorded, &customer);
    work.record(incident.clone(), &recorded, &effects).expect("it can be written");
    work.keep_alert(row(alert, id, now));
    incident
}

pub fn row(alert: &Alert, incident: IncidentId, now: Timestamp) -> AlertRow {
    let raw = format!("{{\"id\":\"{}\"}}", alert.id);
    AlertRow { id: alert.id.clone(), incident, version: alert.version, received_at: now, raw }
}

/// Opens an incident in a unit of work of its own.
pub async fn opened(store: &Store, tenant: &TenantId, alert: &Alert, now: Timestamp) -> Incident {
    let mut work = store.begin(tenant).await.expect("a unit of work");
    let incident = open(&mut work, tenant, alert, now).await;
    work.commit().await.expect("a commit");
    incident
}

/// Decides a command and records what it leads to.
pub fn decide(work: &mut Work, incident: Incident, command: Command, now: Timestamp) -> Incident {
    let customer = customer(&incident.tenant);
    let context = Context { tenant: &customer, roster: &domain::oncall::NOBODY, calendar: calendar(), now };
    let recorded = incident.decide(command, context).expect("a legal command");
    let mut after = incident.clone();
    for entry in &recorded {
        after.apply(entry);
    }
    let effects = after.effects(Some(&incident), &recorded, &customer);
    work.record(after.clone(), &recorded, &effects).expect("it can be written");
    after
}

/// Executes commands on one incident in a unit of work of their own.
pub async fn execute(
    store: &Store,
    tenant: &TenantId,
    id: IncidentId,
    commands: Vec<Command>,
    now: Timestamp,
) -> Result<Incident, Error> {
    let mut work = store.begin(tenant).await?;
    let mut incident = work.incident(id).await?.expect("the incident is there");
    for command in commands {
        incident = decide(&mut work, incident, command, now);
    }
    work.commit().await?;
    Ok(incident)
}

pub fn note(text: &str) -> Command {
    Command::AddNote { by: person("sato"), visibility: Visibility::Internal, text: Untrusted::new(text) }
}

/// What closes an incident of `alert` or `ransomware`.
pub fn to_close(verdict: Verdict) -> Vec<Command> {
    let by = person("sato");
    vec![
        Command::Acknowledge { by: by.clone() },
        Command::GiveVerdict { by: by.clone(), verdict, reason: Untrusted::new("looked at") },
        Command::Close { by },
    ]
}
