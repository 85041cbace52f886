//! A timeline as Timesketch imports it: CSV with `message`, `datetime` and `timestamp_desc`, and our own columns after them.

use crate::alert::Alert;
use crate::language::Language;
use crate::story::deeds;
use crate::telemetry::Record;
use crate::untrusted::Untrusted;

/// The text, and how many records had no time that can be true: Timesketch has no place for those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    pub text: String,
    pub undated: usize,
}

const COLUMNS: &str =
    "message,datetime,timestamp_desc,hostname,agent_id,process,pid,command_line,user,sha256,storyline,kind,source_id";

/// Records and alerts in the order of time.
pub fn csv(records: &[Record], alerts: &[Alert], language: Language) -> Csv {
    let mut rows: Vec<_> = records.iter().filter_map(|r| Some((r.at?, of_record(r, language)))).collect();
    let undated = records.len() - rows.len();
    rows.extend(alerts.iter().map(|alert| (alert.detected_at, of_alert(alert, language))));
    rows.sort_by_key(|(at, _)| *at);
    let mut text = format!("{COLUMNS}\r\n");
    for (at, [message, described, rest @ ..]) in rows {
        let fields = [message, at.to_string(), described].into_iter().chain(rest);
        text.push_str(&fields.map(|field| cell(&field)).collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    Csv { text, undated }
}

/// Without the time, which stands between the first and the second.
type Row = [String; 12];

fn of_record(record: &Record, language: Language) -> Row {
    let (verb, object) = deeds::told(record);
    let said = verb.text().in_language(language);
    let process = record.subject();
    [
        format!("{said}: {}", object.quoted()),
        said.to_owned(),
        record.host.quoted(),
        record.agent.to_string(),
        quoted(process.image.as_ref().or(process.name.as_ref())),
        process.pid.map_or_else(String::new, |pid| pid.to_string()),
        quoted(process.command_line.as_ref()),
        quoted(process.user.as_ref()),
        process.hashes.sha256.as_ref().map_or_else(String::new, |hash| hash.as_str().to_owned()),
        quoted(record.storyline.as_ref()),
        "record".to_owned(),
        record.id.quoted(),
    ]
}

fn of_alert(alert: &Alert, language: Language) -> Row {
    let said = match language {
        Language::Ja => "アラート",
        Language::En => "Alert",
    };
    [
        format!("{said}: {}", alert.name.quoted()),
        said.to_owned(),
        alert.endpoint.name.quoted(),
        alert.endpoint.agent.to_string(),
        quoted(alert.file.path.as_ref()),
        String::new(),
        quoted(alert.process.command_line.as_ref()),
        quoted(alert.process.user.as_ref()),
        alert.file.sha256.as_ref().map_or_else(String::new, |hash| hash.as_str().to_owned()),
        quoted(alert.storyline.as_ref()),
        "alert".to_owned(),
        alert.id.to_string(),
    ]
}

fn quoted(text: Option<&Untrusted>) -> String {
    text.map_or_else(String::new, Untrusted::quoted)
}

/// A cell that no spreadsheet takes for a formula, the full-width signs of a Japanese Excel included.
fn cell(text: &str) -> String {
    let acts = text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        || text.starts_with(['\t', '\r', '\0']);
    format!("\"{}{}\"", if acts { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Os;
    use crate::ids::AgentId;
    use crate::telemetry::{Process, What};

    #[test]
    fn a_line_is_dated_and_no_cell_is_a_formula_sec_33() {
        let record = |at: Option<&str>, name: &str| Record {
            id: Untrusted::new("7"),
            at: at.map(|at| at.parse().unwrap()),
            agent: AgentId::new("a1").unwrap(),
            host: Untrusted::new("=cmd|' /C calc'!A0"),
            os: Os::Windows,
            process: Process { command_line: Some(Untrusted::new("a \"b\",\r\nc")), ..Process::default() },
            storyline: Some(Untrusted::new(" @x")),
            what: What::Dns { name: Untrusted::new(name), answers: Vec::new() },
        };
        let records = [
            record(Some("2026-11-24T10:00:01Z"), "late"),
            record(Some("2026-11-24T10:00:00Z"), "early"),
            record(None, "never"),
        ];
        let csv = csv(&records, &[], Language::En);
        assert_eq!(csv.undated, 1);
        let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
        assert_eq!(lines[0], COLUMNS);
        assert_eq!(
            lines[1],
            "\"Resolved a name: early\",\"2026-11-24T10:00:00Z\",\"Resolved a name\",\"'=cmd|' /C calc'!A0\",\"a1\",\"\",\"\",\
             \"a \"\"b\"\",\\u{d}\\u{a}c\",\"\",\"\",\"' @x\",\"record\",\"7\""
        );
        assert_eq!(lines.len(), 3);
    }
}
