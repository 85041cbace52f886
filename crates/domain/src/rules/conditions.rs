//! The conditions of the table, one function each. They look, and say what they saw; the table says what follows.

use super::{
    Alert, Case, Class, Classification, Confidence, DetectionKind, Engine, Ground, Match, Meaning, Reputation, RuleId,
    Signature, Technique, Verdict,
};
use crate::alert::MitigationState;
use crate::judgement::Priority;

const ENCRYPTS: &[Technique] = &[Technique::new(1486)];
const INHIBITS_RECOVERY: &[Technique] = &[Technique::new(1490)];
const STOPS_SERVICES: &[Technique] = &[Technique::new(1489)];
const BLINDS_DEFENCES: &[Technique] = &[Technique::sub(1562, 1), Technique::sub(1070, 1)];
const DESTROYS: &[Technique] =
    &[Technique::new(1485), Technique::new(1561), Technique::new(1498), Technique::new(1499)];
const CREDENTIALS: &[Technique] = &[Technique::new(1003)];
const LATERAL: &[Technique] = &[Technique::new(1021), Technique::sub(1569, 2)];
const SHELL: &[Technique] = &[Technique::new(1059)];
const REMOTE_TOOL: &[Technique] = &[Technique::new(1219)];
const DISCOVERY: &[Technique] = &[
    Technique::new(1082),
    Technique::new(1018),
    Technique::new(1016),
    Technique::new(1033),
    Technique::new(1049),
    Technique::new(1069),
    Technique::new(1087),
    Technique::new(1135),
    Technique::new(1482),
];
const WEB_SHELL: &[Technique] = &[Technique::sub(1505, 3), Technique::new(1190)];
const EXPLOIT: &[Technique] = &[Technique::new(1203), Technique::new(1068)];
const C2: &[Technique] = &[Technique::new(1071)];
const EXFILTRATION: &[Technique] = &[Technique::new(1041), Technique::new(1048), Technique::new(1567)];
const TAMPER: &[Technique] = &[Technique::sub(1562, 1)];
const MINER: &[Technique] = &[Technique::new(1496)];

impl Case<'_> {
    fn executed(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().copied().filter(|a| a.was_executed())
    }

    /// Techniques of `wanted` that programs which ran have shown.
    fn seen(&self, wanted: &[Technique]) -> Vec<Technique> {
        let mut seen: Vec<Technique> = self
            .executed()
            .flat_map(|a| &a.detection.techniques)
            .copied()
            .filter(|t| wanted.iter().any(|w| t.is_within(*w)))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    fn shows(&self, wanted: &[Technique]) -> bool {
        !self.seen(wanted).is_empty()
    }

    fn is_behavioural(&self) -> bool {
        self.executed().next().is_some()
    }

    fn malicious(&self) -> bool {
        self.alerts.iter().any(|a| a.detection.confidence == Confidence::Malicious)
    }

    fn classified(&self, wanted: &[Classification]) -> Option<Ground> {
        self.alerts
            .iter()
            .find(|a| wanted.contains(&a.detection.classification))
            .map(|a| Ground::ClassifiedAs(a.detection.classification.name()))
    }

    fn mitigation(&self) -> Ground {
        if self.alerts.iter().all(|a| a.is_mitigated()) {
            Ground::Mitigated
        } else if self.alerts.iter().any(|a| a.mitigation.state == MitigationState::NotMitigated) {
            Ground::NotMitigated
        } else {
            Ground::MitigationUnknown
        }
    }
}

fn because(grounds: Vec<Ground>) -> Option<Match> {
    Some(Match { grounds, verdict: None, priority: None })
}

fn techniques(found: Vec<Technique>) -> Ground {
    Ground::Techniques(found)
}

/// R01: two different ransomware signs, or destruction, by something that ran.
pub(super) fn ransomware_or_destruction(case: &Case<'_>) -> Option<Match> {
    let destroyed = case.seen(DESTROYS);
    if !destroyed.is_empty() {
        return because(vec![techniques(destroyed), Ground::BehaviouralDetection]);
    }
    let by_class = case.executed().any(|a| {
        a.detection.classification == Classification::Ransomware && a.detection.confidence == Confidence::Malicious
    });
    let signs = [ENCRYPTS, INHIBITS_RECOVERY, STOPS_SERVICES, BLINDS_DEFENCES];
    let shown: Vec<Vec<Technique>> = signs.iter().map(|s| case.seen(s)).filter(|s| !s.is_empty()).collect();
    // The vendor's own class counts as one sign beside at least one observed behaviour, never alone.
    if shown.len() + usize::from(by_class) < 2 || shown.is_empty() {
        return None;
    }
    let mut grounds = vec![techniques(shown.concat()), Ground::BehaviouralDetection];
    grounds.extend(case.classified(&[Classification::Ransomware]));
    because(grounds)
}

/// R02: credentials taken and used to move on, or malicious code running on a domain controller.
pub(super) fn credentials_and_movement(case: &Case<'_>) -> Option<Match> {
    let (credentials, lateral) = (case.seen(CREDENTIALS), case.seen(LATERAL));
    if !credentials.is_empty() && !lateral.is_empty() {
        return because(vec![techniques([credentials, lateral].concat()), Ground::BehaviouralDetection]);
    }
    let on_controller = case.alerts.iter().zip(case.classes).any(|(alert, class)| {
        *class == Class::DomainController && alert.was_executed() && alert.detection.confidence == Confidence::Malicious
    });
    on_controller.then(|| Match {
        grounds: vec![
            Ground::EndpointClass(Class::DomainController),
            Ground::BehaviouralDetection,
            Ground::ConfidenceMalicious,
        ],
        verdict: None,
        priority: None,
    })
}

/// R03: a shell with a chain of at least two kinds of discovery. (A remote tool by an unknown user needs to know the users.)
pub(super) fn hands_on_keyboard(case: &Case<'_>) -> Option<Match> {
    let (shell, discovery) = (case.seen(SHELL), case.seen(DISCOVERY));
    let mut kinds: Vec<u16> = discovery.iter().map(|t| t.number).collect();
    kinds.dedup();
    (!shell.is_empty() && kinds.len() >= 2).then(|| Match {
        grounds: vec![techniques([shell, discovery].concat()), Ground::BehaviouralDetection],
        verdict: None,
        priority: None,
    })
}

/// R04: a web shell on a server; P0 when commands ran through it.
pub(super) fn web_shell(case: &Case<'_>) -> Option<Match> {
    let on_server = |class: &Class| class.is_critical();
    let found: Vec<Technique> = case
        .alerts
        .iter()
        .zip(case.classes)
        .filter(|(_, class)| on_server(class))
        .flat_map(|(alert, _)| &alert.detection.techniques)
        .copied()
        .filter(|t| WEB_SHELL.iter().any(|w| t.is_within(*w)))
        .collect();
    let class = case.classes.iter().copied().find(on_server)?;
    if found.is_empty() {
        return None;
    }
    let commands_ran = case.shows(SHELL);
    let mut grounds = vec![techniques(found), Ground::EndpointClass(class)];
    if commands_ran {
        grounds.push(techniques(case.seen(SHELL)));
    }
    Some(Match { grounds, verdict: None, priority: commands_ran.then_some(Priority::P0) })
}

/// R22: somebody switches the sensor or other defences off.
pub(super) fn defences_tampered(case: &Case<'_>) -> Option<Match> {
    let found = case.seen(TAMPER);
    (!found.is_empty()).then(|| Match { grounds: vec![techniques(found)], verdict: None, priority: None })
}

/// R25: data leaving; with signs of an intruder it is a true positive.
pub(super) fn data_leaving(case: &Case<'_>) -> Option<Match> {
    let found = case.seen(EXFILTRATION);
    if found.is_empty() {
        return None;
    }
    let other = case.seen(&[CREDENTIALS, LATERAL, ENCRYPTS, REMOTE_TOOL, C2].concat());
    let verdict = (!other.is_empty()).then_some(Verdict::TruePositive);
    let mut grounds = vec![techniques(found)];
    if !other.is_empty() {
        grounds.push(techniques(other));
    }
    Some(Match { grounds, verdict, priority: None })
}

/// R26: running on further hosts, without credential theft.
pub(super) fn spreading(case: &Case<'_>) -> Option<Match> {
    let lateral = case.seen(LATERAL);
    let running_hosts = {
        let mut agents: Vec<_> = case.executed().map(|a| &a.endpoint.agent).collect();
        agents.sort_unstable();
        agents.dedup();
        agents.len()
    };
    if case.shows(CREDENTIALS) || !case.malicious() || (lateral.is_empty() && running_hosts < 2) {
        return None;
    }
    let mut grounds = vec![Ground::Hosts(case.hosts), Ground::ConfidenceMalicious];
    if !lateral.is_empty() {
        grounds.push(techniques(lateral));
    }
    because(grounds)
}

fn waits_for_customer(case: &Case<'_>) -> bool {
    may_be_theirs(case) || case.before == Some(RuleId::R23)
}

/// R20 stands for an R11 or R12 whose answer was about something else.
fn may_be_theirs(case: &Case<'_>) -> bool {
    matches!(case.before, Some(RuleId::R11 | RuleId::R12 | RuleId::R13 | RuleId::R14 | RuleId::R20))
}

/// R13: the customer says it is theirs.
pub(super) fn customer_says_ours(case: &Case<'_>) -> Option<Match> {
    (may_be_theirs(case) && case.answer == Some(Meaning::Ours)).then(|| Match {
        grounds: vec![Ground::CustomerSaysOurs],
        verdict: None,
        priority: None,
    })
}

/// R14: the customer does not know it; with a second family of evidence it is a true positive.
pub(super) fn customer_does_not_know(case: &Case<'_>) -> Option<Match> {
    if !waits_for_customer(case) || case.answer != Some(Meaning::Unknown) {
        return None;
    }
    let known_bad = case.alerts.iter().any(|a| a.detection.reputation == Reputation::KnownMalicious);
    let mut grounds = vec![Ground::CustomerSaysUnknown];
    if known_bad {
        grounds.push(Ground::KnownMaliciousFile);
    }
    Some(Match { grounds, verdict: known_bad.then_some(Verdict::TruePositive), priority: None })
}

/// R10: unwanted software without a behavioural detection; a miner is a true positive.
pub(super) fn unwanted_software(case: &Case<'_>) -> Option<Match> {
    let miner = case.classified(&[Classification::CryptoMiner]).or_else(|| {
        let found = case.seen(MINER);
        (!found.is_empty()).then(|| techniques(found))
    });
    if let Some(ground) = miner {
        return Some(Match {
            grounds: vec![ground],
            verdict: Some(Verdict::TruePositive),
            priority: Some(Priority::P2),
        });
    }
    let by_engine = || {
        let pup = case.alerts.iter().any(|a| a.detection.engines.contains(&Engine::PotentiallyUnwanted));
        pup.then(|| Ground::ClassifiedAs(Classification::PotentiallyUnwanted.name()))
    };
    let unwanted =
        case.classified(&[Classification::PotentiallyUnwanted, Classification::Adware]).or_else(by_engine)?;
    (!case.is_behavioural()).then(|| Match {
        grounds: vec![unwanted, Ground::StaticDetectionOnly],
        verdict: None,
        priority: None,
    })
}

/// R05: ran, malicious, not stopped.
pub(super) fn running_unmitigated(case: &Case<'_>) -> Option<Match> {
    let hit = case.executed().any(|a| a.detection.confidence == Confidence::Malicious && !a.is_mitigated());
    hit.then(|| Match {
        grounds: vec![Ground::BehaviouralDetection, Ground::ConfidenceMalicious, case.mitigation()],
        verdict: None,
        priority: None,
    })
}

/// R06: ran, malicious, stopped.
pub(super) fn ran_and_was_mitigated(case: &Case<'_>) -> Option<Match> {
    let hit = case.executed().any(|a| a.detection.confidence == Confidence::Malicious && a.is_mitigated());
    hit.then(|| Match {
        grounds: vec![Ground::BehaviouralDetection, Ground::ConfidenceMalicious, Ground::Mitigated],
        verdict: None,
        priority: None,
    })
}

/// R07: a file that reputation knows as malicious, and that did not run.
pub(super) fn known_malicious_file(case: &Case<'_>) -> Option<Match> {
    let hit = !case.is_behavioural()
        && case.alerts.iter().any(|a| {
            a.detection.reputation == Reputation::KnownMalicious && a.detection.confidence == Confidence::Malicious
        });
    hit.then(|| Match {
        grounds: vec![Ground::KnownMaliciousFile, Ground::NotExecuted, case.mitigation()],
        verdict: None,
        priority: None,
    })
}

/// R08: the exploit engine, or an exploit technique; a payload that ran makes it a true positive.
pub(super) fn exploit(case: &Case<'_>) -> Option<Match> {
    let by_engine = case.alerts.iter().any(|a| a.detection.engines.contains(&Engine::Exploits));
    let found = case.seen(EXPLOIT);
    if !by_engine && found.is_empty() {
        return None;
    }
    let mut grounds = Vec::new();
    if by_engine {
        grounds.push(Ground::ExploitEngine);
    }
    if !found.is_empty() {
        grounds.push(techniques(found));
    }
    let payload = case.seen(&[SHELL, C2, &[Technique::new(1055), Technique::new(1105)]].concat());
    let ran = !payload.is_empty();
    if ran {
        grounds.push(techniques(payload));
    }
    Some(Match { grounds, verdict: ran.then_some(Verdict::TruePositive), priority: None })
}

/// R09: contact with a listed command-and-control address by a process that is not judged malicious.
pub(super) fn c2_contact(case: &Case<'_>) -> Option<Match> {
    let by_list = case.alerts.iter().any(|a| a.detection.engines.contains(&Engine::ThreatIntelligence));
    let found: Vec<Technique> = C2.iter().copied().filter(|t| case.alerts.iter().any(|a| a.shows(*t))).collect();
    if case.malicious() || (!by_list && found.is_empty()) {
        return None;
    }
    let mut grounds = vec![Ground::ConfidenceNotMalicious];
    if by_list {
        grounds.push(Ground::ThreatIntelligenceEngine);
    }
    if !found.is_empty() {
        grounds.push(techniques(found));
    }
    because(grounds)
}

/// R11: a tool that administrators and attackers both use, with no other sign.
pub(super) fn dual_use_tool(case: &Case<'_>) -> Option<Match> {
    let by_technique = case.alerts.iter().any(|a| a.shows_any(REMOTE_TOOL));
    let mut grounds: Vec<Ground> = case.classified(&[Classification::HackTool]).into_iter().collect();
    if by_technique {
        grounds.push(techniques(REMOTE_TOOL.to_vec()));
    }
    if grounds.is_empty() {
        return None;
    }
    if let Some(publisher) = case.alerts.iter().find_map(|a| match &a.file.signature {
        Signature::Valid { publisher } => Some(publisher.clone()),
        _ => None,
    }) {
        grounds.push(Ground::ValidSignature(publisher));
    }
    because(grounds)
}

/// R12: nothing but the look of the file.
pub(super) fn static_only(case: &Case<'_>) -> Option<Match> {
    let hit = case.alerts.iter().all(|a| {
        a.detection.kind == DetectionKind::Static
            && !a.was_executed()
            && a.process.command_line.is_none()
            && a.detection.reputation != Reputation::KnownMalicious
    });
    if !hit || case.alerts.is_empty() {
        return None;
    }
    let asked = case.alerts.iter().any(|a| a.detection.reputation == Reputation::NotKnown);
    let mut grounds = vec![Ground::StaticDetectionOnly, Ground::NoCommandLine, Ground::NotExecuted];
    if asked {
        grounds.push(Ground::FileNotKnownToReputation);
    }
    grounds.push(case.mitigation());
    because(grounds)
}

/// R23: everything else. What is missing is named, and the worst plausible priority is taken.
pub(super) fn information_missing(case: &Case<'_>) -> Option<Match> {
    let mut grounds = vec![Ground::NoRuleDecides];
    if case.is_behavioural() {
        grounds.push(Ground::BehaviouralDetection);
    }
    if !case.malicious() {
        grounds.push(Ground::ConfidenceNotMalicious);
    }
    if case.alerts.iter().any(|a| a.process.command_line.is_some()) {
        grounds.push(Ground::CommandLinePresent);
    }
    grounds.push(case.mitigation());
    because(grounds)
}

/// For rules that wait for evidence not gathered yet, or that `grouping` applies before the table.
pub(super) fn elsewhere(_: &Case<'_>) -> Option<Match> {
    None
}
