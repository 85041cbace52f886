//! Decisions about one incident, told as short stories. Each rule by an alert through intake, and everything that needs a
//! console, is a journey (`tests/journeys`).

mod clocks;

use jiff::ToSpan;

use super::*;
use crate::action::{Kind as ActionKind, State};
use crate::alert::{
    Classification, Confidence, ConsoleState, Detection, Engine, File, Hash, Initiator, Kind, Mitigation,
    MitigationState, Process, Reputation, Signature, Source,
};
use crate::attack::Technique;
use crate::endpoint::{Endpoint, Machine, Network, Os};
use crate::notice;
use crate::question::Meaning;
use crate::rules::RuleId;

#[test]
fn what_comes_after_the_alerts_that_are_kept_is_judged_and_acted_on_all_the_same() {
    let mut story = Story::begin(unknown_file("first"));
    for n in 0..60 {
        story.join(unknown_file(&format!("more-{n}")));
    }
    assert_eq!((story.incident.alerts.len(), story.incident.alert_count), (MAX_ALERTS, 61));
    story.join(ransomware("at-last"));
    assert_eq!((story.incident.judgement.rule, story.incident.priority()), (RuleId::R01, Priority::P0));
    let on_it = |action: &&Action| action.target.alert.as_ref().is_some_and(|id| id.as_str() == "at-last");
    let kinds: Vec<ActionKind> = story.incident.actions.values().filter(on_it).map(|a| a.kind).collect();
    assert_eq!(kinds, [ActionKind::Kill, ActionKind::Quarantine]);
    assert!(story.incident.actions.values().any(|a| a.kind == ActionKind::Isolate && a.state == State::PreAuthorised));
}

#[test]
fn what_becomes_known_of_an_alert_that_is_not_kept_still_counts() {
    let mut story = Story::begin(unknown_file("first"));
    for n in 0..60 {
        story.join(unknown_file(&format!("more-{n}")));
    }
    story.then(Command::UpdateAlert { alert: Box::new(ransomware("more-59")) });
    assert_eq!(story.incident.priority(), Priority::P0);
    assert!(story.incident.actions.values().any(|a| a.kind == ActionKind::Kill));
}

#[test]
fn the_gravest_member_of_a_batch_decides_whatever_rule_matches_the_whole_first_r19() {
    let mut story = Story::begin(classified("toolbar", Classification::PotentiallyUnwanted));
    assert_eq!((story.incident.judgement.rule, story.incident.verdict), (RuleId::R10, Verdict::Suspicious));
    story.join(known_malicious("trojan"));
    assert_eq!((story.incident.judgement.rule, story.incident.verdict), (RuleId::R07, Verdict::TruePositive));
}

#[test]
fn new_evidence_raises_the_priority_and_lowers_nothing() {
    let mut story = Story::begin(ran("malware", MitigationState::Mitigated, &[]));
    assert_eq!((story.incident.judgement.rule, story.incident.priority()), (RuleId::R06, Priority::P2));
    let tampered = ran("malware", MitigationState::Mitigated, &[Technique::sub(1562, 1)]);
    story.then(Command::UpdateAlert { alert: Box::new(tampered) });
    assert_eq!((story.incident.judgement.rule, story.incident.priority()), (RuleId::R22, Priority::P1));
    assert_eq!(story.incident.verdict, Verdict::TruePositive);
    assert_eq!(story.incident.judgement.strength, rules::Strength::Strong);
}

#[test]
fn malware_on_a_second_endpoint_is_spreading_even_when_it_is_no_graver_r26() {
    let mut story = Story::begin(ran("first", MitigationState::NotMitigated, &[]));
    assert_eq!((story.incident.judgement.rule, story.incident.priority()), (RuleId::R05, Priority::P1));
    let mut second = ran("second", MitigationState::NotMitigated, &[]);
    second.endpoint.agent = AgentId::new("18").unwrap();
    story.join(second);
    assert_eq!((story.incident.judgement.rule, story.incident.priority()), (RuleId::R26, Priority::P1));
    let judged = story.incident.version;
    story.join(ran("third", MitigationState::NotMitigated, &[]));
    let joined_and_acted = 1 + 2;
    assert_eq!(story.incident.version, judged + joined_and_acted, "said once");
}

#[test]
fn a_reopened_incident_has_time_again_and_the_floors_verdict() {
    let mut story = Story::begin(unknown_file("file")).closed_as(Verdict::FalsePositive);
    story.now += 72.hours();
    story.then(Command::Reopen { by: analyst(), reason: Untrusted::new("the customer called") });
    assert_eq!(story.incident.verdict, Verdict::Undetermined);
    assert!(story.incident.next_due().unwrap() > story.now);
}

#[test]
fn an_answer_does_not_speak_for_what_changed_afterwards_r20() {
    let mut story = Story::begin(unknown_file("file"));
    story.ask_and_hear(Meaning::Ours);
    assert_eq!((story.incident.judgement.rule, story.incident.verdict), (RuleId::R13, Verdict::FalsePositive));
    let mut story = story.closed_as(Verdict::FalsePositive);
    let changed = Box::new(unknown_file("changed"));
    story.then(Command::TakeAlert { alert: changed, rule: RuleId::R20, grounds: vec![] });
    assert_eq!((story.incident.judgement.rule, story.incident.verdict), (RuleId::R20, Verdict::Undetermined));
    assert_eq!(story.incident.priority(), Priority::P2);

    story.ask_and_hear(Meaning::Ours);
    assert_eq!((story.incident.judgement.rule, story.incident.verdict), (RuleId::R13, Verdict::FalsePositive));
}

#[test]
fn a_threat_that_is_no_longer_stopped_reopens_its_closed_incident() {
    let stopped = || ran("malware", MitigationState::Mitigated, &[]);
    let mut story = Story::begin(stopped()).closed_as(Verdict::TruePositive);
    assert!(story.incident.actions.is_empty());
    story.then(Command::UpdateAlert { alert: Box::new(ran("malware", MitigationState::NotMitigated, &[])) });
    assert!(story.incident.phase.is_open());
    let kinds: Vec<ActionKind> = story.incident.actions.values().map(|a| a.kind).collect();
    assert_eq!(kinds, [ActionKind::Kill, ActionKind::Quarantine]);
}

#[test]
fn nothing_is_decided_for_a_closed_incident_that_stays_closed() {
    let mut story = Story::begin(unknown_file("file")).closed_as(Verdict::FalsePositive);
    let resolved = ConsoleState { verdict: Verdict::FalsePositive, status: crate::alert::ConsoleStatus::Resolved };
    let (notices, later) = (story.incident.notices.len(), Alert { console: resolved, ..unknown_file("file") });
    story.then(Command::UpdateAlert { alert: Box::new(later) });
    assert_eq!(story.incident.phase, Phase::Closed);
    assert_eq!((story.incident.actions.len(), story.incident.notices.len()), (0, notices));
}

#[test]
fn a_verdict_needs_a_reason_and_closing_needs_a_verdict() {
    let story = Story::begin(unknown_file("file"));
    let reason = Untrusted::new("no");
    let verdict = Command::GiveVerdict { by: analyst(), verdict: Verdict::Suspicious, reason };
    assert_eq!(story.refusal(verdict), Refused::ReasonMissing);
    assert_eq!(story.refusal(Command::Close { by: analyst() }), Refused::NoVerdict);
}

/// One incident, a minute later with each command.
#[test]
fn updates_gather_but_nothing_is_left_unsaid_by_one_that_may_be_on_its_way() {
    let mut story = Story::begin(ransomware("first"));
    story.tenant.slack_channel = Some("C0123456789".parse().unwrap());
    let updates = |story: &Story| story.incident.notices.values().filter(|n| n.kind == notice::Kind::Update).count();
    let start = story.now;
    for (host, at_s, told) in [("second", 0, 1), ("third", 2, 1), ("fourth", 3, 2), ("fifth", 5, 2), ("sixth", 3600, 3)]
    {
        let mut alert = ransomware(host);
        alert.endpoint.agent = host.parse().unwrap();
        // Each command of a story comes a minute after the one before; here the moment is what matters.
        story.now = start + at_s.seconds() - 1.minute();
        story.join(alert);
        assert_eq!(updates(&story), told, "{host}");
    }
}

struct Story {
    tenant: Tenant,
    roster: Roster,
    calendar: Calendar,
    incident: Incident,
    events: Vec<Recorded>,
    now: Timestamp,
}

impl Story {
    fn begin(alert: Alert) -> Self {
        let tenant = Tenant { connected: true, ..Tenant::offline(TenantId::new("acme").unwrap()) };
        let (calendar, now) = (Calendar::japan(), "2026-11-24T01:00:00Z".parse().unwrap());
        Self::begin_at(alert, tenant, calendar, now)
    }

    fn begin_at(alert: Alert, tenant: Tenant, calendar: Calendar, now: Timestamp) -> Self {
        let roster = Roster::default();
        let context = Context { tenant: &tenant, roster: &roster, calendar: &calendar, now };
        let (incident, events) = Incident::open(IncidentId { year: 2026, number: 1 }, alert, None, vec![], context);
        Self { tenant, roster, calendar, incident, events, now }
    }

    fn then(&mut self, command: Command) {
        self.now += 1.minute();
        self.at_once(command);
    }

    /// Without the minute.
    fn at_once(&mut self, command: Command) {
        let recorded = self.incident.decide(command, self.context()).unwrap();
        recorded.iter().for_each(|entry| self.incident.apply(entry));
        self.events.extend(recorded);
    }

    fn context(&self) -> Context<'_> {
        let Self { tenant, roster, calendar, now, .. } = self;
        Context { tenant, roster, calendar, now: *now }
    }

    fn refusal(&self, command: Command) -> Refused {
        self.incident.decide(command, self.context()).unwrap_err()
    }

    fn join(&mut self, alert: Alert) {
        self.then(Command::TakeAlert { alert: Box::new(alert), rule: RuleId::R18, grounds: vec![] });
    }

    fn closed_as(mut self, verdict: Verdict) -> Self {
        let reason = Untrusted::new("looked at all of it");
        self.then(Command::GiveVerdict { by: analyst(), verdict, reason });
        self.then(Command::Close { by: analyst() });
        self
    }

    fn ask_and_hear(&mut self, meaning: Meaning) {
        self.then(Command::Ask { by: analyst(), addition: None });
        let question = self.incident.open_question().unwrap().id;
        let words = Untrusted::new("as told on the telephone");
        self.then(Command::RecordAnswer { by: analyst(), question, meaning, words });
    }
}

fn analyst() -> PersonId {
    PersonId::new("sato").unwrap()
}

/// Found by its looks on a laptop, and put into quarantine before it ran.
fn unknown_file(id: &str) -> Alert {
    let at = "2026-11-24T00:59:50Z".parse().unwrap();
    Alert {
        id: AlertId::new(id).unwrap(),
        source: Source::Threat,
        version: at,
        detected_at: at,
        created_at: at,
        name: Untrusted::new("tool.exe"),
        endpoint: Endpoint {
            agent: AgentId::new("17").unwrap(),
            name: Untrusted::new("WS-17"),
            domain: None,
            os: Os::Windows,
            os_name: None,
            machine: Machine::Laptop,
            group: None,
            site: None,
            last_user: None,
            addresses: vec![],
            agent_version: None,
            network: Network::Connected,
            online: Some(true),
        },
        file: File { sha256: Hash::parse(&"ab".repeat(32)), signature: Signature::NotSigned, ..File::default() },
        process: Process::default(),
        detection: Detection {
            kind: Kind::Static,
            engines: vec![Engine::StaticSuspicious],
            confidence: Confidence::Suspicious,
            reputation: Reputation::NotKnown,
            initiated_by: Initiator::AgentPolicy,
            ..Detection::default()
        },
        mitigation: Mitigation { state: MitigationState::Mitigated, ..Mitigation::default() },
        console: ConsoleState::default(),
        storyline: None,
    }
}

fn classified(id: &str, classification: Classification) -> Alert {
    let mut alert = unknown_file(id);
    alert.detection.classification = classification;
    alert
}

fn known_malicious(id: &str) -> Alert {
    let mut alert = classified(id, Classification::Trojan);
    alert.detection.confidence = Confidence::Malicious;
    alert.detection.reputation = Reputation::KnownMalicious;
    alert
}

fn ran(id: &str, state: MitigationState, techniques: &[Technique]) -> Alert {
    let mut alert = classified(id, Classification::Malware);
    alert.detection.kind = Kind::Behavioural;
    alert.detection.engines = vec![Engine::Behavioural];
    alert.detection.confidence = Confidence::Malicious;
    alert.detection.techniques = techniques.to_vec();
    alert.mitigation.state = state;
    alert
}

fn ransomware(id: &str) -> Alert {
    ran(id, MitigationState::NotMitigated, &[Technique::new(1486), Technique::new(1490)])
}
