//! The console's words for closed and open sets, and ours. One table per set; what is not in a table is kept as `Other` or
//! read as unknown, never guessed.

use domain::alert::{
    Classification, Confidence, ConsoleStatus, Engine, Initiator, Kind, MitigationAction, MitigationOutcome,
    MitigationState, Reputation, Signature,
};
use domain::endpoint::{Machine, Network, Os};
use domain::{Untrusted, Verdict};

use crate::row::word;

/// Keys of `detectionEngines`, titles of `engines`, and the names of unified alerts.
pub(crate) fn engine(text: &str) -> Engine {
    match word(text).as_str() {
        "reputation" => Engine::Reputation,
        "sentinelone_cloud" | "cloud_detection" => Engine::Cloud,
        "pre_execution" | "on_write_dfi" | "on_write_static_ai" => Engine::StaticOnWrite,
        "pre_execution_suspicious" | "on_write_dfi_suspicious" | "on_write_static_ai_suspicious" => {
            Engine::StaticSuspicious
        }
        "executables" | "dbt_executables" | "behavioral_ai" => Engine::Behavioural,
        "data_files" | "documents_scripts" => Engine::Documents,
        "exploits" | "anti_exploitation_fileless" => Engine::Exploits,
        "penetration" | "intrusion_detection" => Engine::Intrusion,
        "pup" | "potentially_unwanted_applications" => Engine::PotentiallyUnwanted,
        "lateral_movement" => Engine::LateralMovement,
        "remote_shell" => Engine::RemoteShell,
        "application_control" => Engine::ApplicationControl,
        "threat_intelligence" => Engine::ThreatIntelligence,
        "driver_blocking" => Engine::DriverBlocking,
        "star" => Engine::CustomRule,
        "manual" => Engine::Manual,
        _ => Engine::Other(Untrusted::new(text)),
    }
}

pub(crate) fn classification(text: Option<&str>) -> Classification {
    let Some(text) = text else { return Classification::Unknown };
    match word(text).as_str() {
        "" | "unknown" | "undefined" => Classification::Unknown,
        "malware" => Classification::Malware,
        "ransomware" => Classification::Ransomware,
        "trojan" => Classification::Trojan,
        "infostealer" | "info_stealer" => Classification::InfoStealer,
        "pua" | "pup" | "potentially_unwanted" | "potentially_unwanted_application" => {
            Classification::PotentiallyUnwanted
        }
        "adware" => Classification::Adware,
        "downloader" => Classification::Downloader,
        "hacktool" | "hack_tool" => Classification::HackTool,
        "virus" => Classification::Virus,
        "worm" => Classification::Worm,
        "exploit" => Classification::Exploit,
        "backdoor" => Classification::Backdoor,
        "cryptominer" | "crypto_miner" | "miner" | "coinminer" => Classification::CryptoMiner,
        "lateral_movement" => Classification::LateralMovement,
        _ => Classification::Other(Untrusted::new(text)),
    }
}

/// `detectionType`, a legacy `classifierName` or a unified alert's `typeValue`.
pub(crate) fn kind(word: Option<&str>) -> Kind {
    match word {
        Some("static") => Kind::Static,
        Some("dynamic" | "behavioral" | "behavioural") => Kind::Behavioural,
        _ => Kind::Unknown,
    }
}

pub(crate) fn confidence(word: Option<&str>) -> Confidence {
    match word {
        Some("malicious") => Confidence::Malicious,
        Some("suspicious") => Confidence::Suspicious,
        _ => Confidence::Unknown,
    }
}

/// 2.1 writes `agent_policy`, 2.0 `agentPolicy`, unified alerts `Agent Policy`.
pub(crate) fn initiator(word: Option<&str>) -> Initiator {
    match word.map(|w| w.replace('_', "")).as_deref() {
        Some("agentpolicy") => Initiator::AgentPolicy,
        Some("fulldiskscan") => Initiator::FullDiskScan,
        Some("ondemandscan") => Initiator::OnDemandScan,
        Some("consoleapi" | "dvcommand" | "sentinelctl") => Initiator::Person,
        Some("staractive" | "starmanual") => Initiator::Rule,
        Some("clouddetection" | "threatintelligence" | "watchtowerclouddetection") => Initiator::Intelligence,
        _ => Initiator::Other,
    }
}

/// Only two answers are known to mean something; any other is not taken for one.
pub(crate) fn reputation(word: Option<&str>) -> Reputation {
    match word {
        Some("black") => Reputation::KnownMalicious,
        Some("provider_unknown") => Reputation::NotKnown,
        _ => Reputation::NotAsked,
    }
}

pub(crate) fn signature(
    verification: Option<&str>,
    certificate_is_valid: Option<bool>,
    publisher: Option<Untrusted>,
) -> Signature {
    match (verification, certificate_is_valid) {
        (Some("notsigned" | "not_signed" | "unsigned"), _) => Signature::NotSigned,
        (Some("signedverified" | "signed_verified"), _) | (None, Some(true)) => Signature::Valid { publisher },
        (Some(other), _) if other.starts_with("signed") || other.starts_with("invalid") => {
            Signature::Invalid { publisher }
        }
        _ => Signature::Unknown,
    }
}

pub(crate) fn mitigation_state(word: Option<&str>) -> MitigationState {
    match word {
        Some("not_mitigated" | "unmitigated" | "active" | "suspicious" | "pending") => MitigationState::NotMitigated,
        Some("mitigated" | "blocked") => MitigationState::Mitigated,
        Some("marked_as_benign" | "benign") => MitigationState::MarkedBenign,
        _ => MitigationState::Unknown,
    }
}

pub(crate) fn mitigation_action(word: Option<&str>) -> MitigationAction {
    match word {
        Some("kill") => MitigationAction::Kill,
        Some("quarantine") => MitigationAction::Quarantine,
        Some("remediate") => MitigationAction::Remediate,
        Some("rollback" | "rollback_remediation") => MitigationAction::Rollback,
        Some("unquarantine" | "un_quarantine") => MitigationAction::Unquarantine,
        Some("network_quarantine") => MitigationAction::NetworkQuarantine,
        _ => MitigationAction::Other,
    }
}

pub(crate) fn mitigation_outcome(word: Option<&str>) -> MitigationOutcome {
    match word {
        Some("success") => MitigationOutcome::Success,
        Some("failed") => MitigationOutcome::Failed,
        Some("partial") => MitigationOutcome::Partial,
        Some("pending" | "pending_reboot" | "sent") => MitigationOutcome::Pending,
        _ => MitigationOutcome::Unknown,
    }
}

/// 2.1 has four verdicts; unified alerts have twenty that begin with these words.
pub(crate) fn verdict(word: Option<&str>) -> Verdict {
    match word {
        Some(w) if w.starts_with("true_positive") => Verdict::TruePositive,
        Some(w) if w.starts_with("false_positive") => Verdict::FalsePositive,
        Some("suspicious") => Verdict::Suspicious,
        _ => Verdict::Undetermined,
    }
}

pub(crate) fn verdict_on_the_wire(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undetermined => "undefined",
        Verdict::TruePositive => "true_positive",
        Verdict::Suspicious => "suspicious",
        Verdict::FalsePositive => "false_positive",
    }
}

pub(crate) fn status(word: Option<&str>) -> ConsoleStatus {
    match word {
        Some("in_progress") => ConsoleStatus::InProgress,
        // A unified alert's status may be its verdict.
        Some("resolved" | "false_positive") => ConsoleStatus::Resolved,
        _ => ConsoleStatus::Unresolved,
    }
}

pub(crate) fn status_on_the_wire(status: ConsoleStatus) -> &'static str {
    match status {
        ConsoleStatus::Unresolved => "unresolved",
        ConsoleStatus::InProgress => "in_progress",
        ConsoleStatus::Resolved => "resolved",
    }
}

pub(crate) fn os(word: Option<&str>) -> Os {
    match word {
        Some("windows" | "windows_legacy") => Os::Windows,
        Some("macos" | "osx") => Os::Macos,
        Some("linux") => Os::Linux,
        _ => Os::Unknown,
    }
}

pub(crate) fn machine(word: Option<&str>) -> Machine {
    match word {
        Some("desktop" | "workstation") => Machine::Desktop,
        Some("laptop") => Machine::Laptop,
        Some("server") => Machine::Server,
        Some("kubernetes_node" | "kubernetes_pod" | "ecs_task" | "storage") => Machine::Infrastructure,
        _ => Machine::Unknown,
    }
}

pub(crate) fn network(word: Option<&str>) -> Network {
    match word {
        Some("connected") => Network::Connected,
        Some("disconnecting") => Network::Disconnecting,
        Some("disconnected") => Network::Isolated,
        Some("connecting") => Network::Reconnecting,
        _ => Network::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_titles_new_titles_and_keys_name_the_same_engines() {
        for (texts, expected) in [
            (["pre_execution", "On-Write DFI", "On-Write Static AI"], Engine::StaticOnWrite),
            (
                ["pre_execution_suspicious", "On-Write DFI - Suspicious", "On-Write Static AI - Suspicious"],
                Engine::StaticSuspicious,
            ),
            (["executables", "DBT - Executables", "Behavioral AI"], Engine::Behavioural),
        ] {
            for text in texts {
                assert_eq!(engine(text), expected, "{text}");
            }
        }
        assert_eq!(engine("Brand New Engine"), Engine::Other(Untrusted::new("Brand New Engine")));
    }

    #[test]
    fn what_we_write_is_read_back_as_the_same() {
        for given in Verdict::GIVEN.into_iter().chain([Verdict::Undetermined]) {
            assert_eq!(verdict(Some(verdict_on_the_wire(given))), given);
        }
        for given in [ConsoleStatus::Unresolved, ConsoleStatus::InProgress, ConsoleStatus::Resolved] {
            assert_eq!(status(Some(status_on_the_wire(given))), given);
        }
    }

    #[test]
    fn an_unknown_word_is_never_a_comforting_one() {
        assert_eq!(verdict(Some("benign_probably")), Verdict::Undetermined);
        assert_eq!(reputation(Some("white")), Reputation::NotAsked);
        assert_eq!(signature(Some("somethingelse"), None, None), Signature::Unknown);
        assert_eq!(signature(Some("signedinvalid"), Some(true), None), Signature::Invalid { publisher: None });
        assert_eq!(mitigation_state(Some("suspicious_resolved")), MitigationState::Unknown);
        assert_eq!(machine(Some("toaster")), Machine::Unknown);
    }
}
