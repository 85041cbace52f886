//! What the endpoint said, as it said it: one card per alert, and each record as the console sent it.

use axum::extract::{Path, State};
use axum::response::Html;
use domain::alert::{Alert, Hash, Signature};
use domain::incident::Incident;
use domain::{AlertId, Timestamp, Untrusted};
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::incident::find;
use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show, words};

/// Largest record shown whole, in characters. Longer ones are cut, visibly.
const MAX_RAW: usize = 400_000;

/// Every alert that is kept whole, the first one unfolded.
pub(crate) fn cards(incident: &Incident, now: Timestamp, say: Say) -> Markup {
    let left_out = u64::from(incident.alert_count).saturating_sub(incident.alerts.len() as u64);
    html! {
        @for (n, alert) in incident.alerts.iter().enumerate() {
            details.evidence #(format!("alert-{}", n + 1)) open[n == 0] {
                summary {
                    b { (show::foreign(&alert.name, 80)) } " " (show::foreign(&alert.endpoint.name, 40))
                    span.hint { " · " (show::moment(alert.detected_at, now)) " · " (say.text(alert.mitigation.state.text())) }
                }
                (card(incident, alert, say))
            }
        }
        @if left_out > 0 {
            p.hint { (say.pick(
                format!("ほか {left_out} 件は番号のみを保持しています。"),
                format!("{left_out} more are kept by their ids only."),
            )) }
        }
    }
}

fn card(incident: &Incident, alert: &Alert, say: Say) -> Markup {
    let (file, process, detection) = (&alert.file, &alert.process, &alert.detection);
    html! {
        div.card {
            h3 { (say.pick("ファイル", "File")) }
            dl.facts {
                dt { (say.pick("パス", "Path")) } dd { (maybe(file.path.as_ref(), say)) }
                @if let Some(size) = file.size_bytes { dt { (say.pick("サイズ", "Size")) } dd { (show::bytes(size)) } }
                @for hash in [&file.sha256, &file.sha1, &file.md5].into_iter().flatten() { (digest(hash)) }
                @if file.best_hash().is_none() { dt { (say.pick("ハッシュ値", "Hash")) } dd.hint { (say.pick("記録なし", "Not recorded")) } }
                dt { (say.pick("電子署名", "Signature")) } dd { (signature(&file.signature, say)) }
                dt { (say.pick("EDR の評価", "EDR reputation")) } dd { (say.text(words::reputation(detection.reputation))) }
            }
            h3 { (say.pick("プロセス", "Process")) }
            dl.facts {
                dt { (say.pick("実行者", "User")) } dd { (maybe(process.user.as_ref(), say)) }
                dt { (say.pick("起動元", "Started by")) } dd { (maybe(process.originator.as_ref(), say)) }
                dt { (say.pick("コマンドライン", "Command line")) } dd { (maybe(process.command_line.as_ref(), say)) }
            }
            h3 { (say.pick("兆候", "Indicators")) " " span.n { (detection.indicators.len() + detection.indicators_left_out as usize) } }
            @if detection.indicators.is_empty() { p.empty { (say.pick("記録なし", "Not recorded")) } }
            ul.indicators {
                @for indicator in &detection.indicators {
                    li {
                        @for technique in &indicator.techniques { span.technique { (technique) } " " }
                        @if let Some(category) = &indicator.category { b { (show::foreign(category, 40)) } " " }
                        (show::foreign(&indicator.description, 300))
                    }
                }
                @if detection.indicators_left_out > 0 { li.hint { "+ " (detection.indicators_left_out) } }
            }
            h3 { (say.pick("検知と対処", "Detection and mitigation")) }
            dl.facts {
                dt { (say.pick("方法", "How")) } dd {
                    (say.text(words::detection(detection.kind)))
                    @for engine in &detection.engines { " · " (engine.name()) }
                }
                dt { (say.pick("契機", "Trigger")) } dd { (say.text(words::initiator(detection.initiated_by))) }
                dt { (say.pick("検知", "Detected")) } dd { (show::second(alert.detected_at)) }
                dt { (say.pick("登録", "Recorded")) } dd { (show::second(alert.created_at)) }
                dt { (say.pick("端末上", "On the endpoint")) } dd { (say.text(alert.mitigation.state.text())) }
                @for step in &alert.mitigation.steps {
                    dt {} dd {
                        (say.text(words::mitigation_action(step.action))) " " (say.text(words::mitigation_outcome(step.outcome)))
                        @if let Some(at) = step.at { " · " (show::second(at)) }
                    }
                }
            }
            p.hint {
                (say.text(words::source(alert.source))) " · " code { (alert.id) } " · "
                a href=(format!("/incidents/{}/alerts/{}", incident.id, alert.id)) { (say.pick("受信した記録（JSON）", "The record as it came (JSON)")) }
            }
        }
    }
}

/// One record as the console sent it, with its digest.
pub(crate) async fn raw(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, alert)): Path<(String, String)>,
) -> Result<Html<String>, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    let alert: AlertId = alert.parse().map_err(|_| Fault::NotFound)?;
    let store = app.engine().store();
    let ids = store.alert_ids(&incident.tenant, incident.id).await?;
    // The alert has to belong to this very incident.
    let received = ids.iter().find(|(known, _)| *known == alert).map(|(_, at)| *at).ok_or(Fault::NotFound)?;
    let raw = store.raw_alert(&incident.tenant, &alert).await?.ok_or(Fault::NotFound)?;
    let say = visitor.say();
    let body = html! {
        article.record {
            p { a href=(format!("/incidents/{}?tab=evidence", incident.id)) { "← " (incident.id) } }
            h1 { (say.pick("受信した記録", "The record as it came")) }
            dl.facts {
                dt { (say.pick("アラート番号", "Alert id")) } dd { code { (alert) } }
                dt { (say.pick("受信", "Received")) } dd { (show::second(received)) }
                dt { "SHA-256" } dd { code { (hex::encode(Sha256::digest(raw.as_bytes()))) } }
                dt { (say.pick("大きさ", "Size")) } dd { (show::bytes(raw.len() as u64)) }
            }
            pre.raw tabindex="0" { (readable(&raw)) }
        }
    };
    layout::page(&app, &visitor, &Place::Evidence(incident.id), &alert.to_string(), body).await
}

/// JSON with line breaks and indents added between its parts, and nothing else changed: every field, number and order stays as
/// it came. Deceiving characters are made visible (SEC-35).
pub(crate) fn readable(raw: &str) -> String {
    let cut: String = raw.chars().take(MAX_RAW).collect();
    let indented = indent(&cut);
    let mut out = String::with_capacity(indented.len());
    for (n, line) in indented.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        // `Untrusted` holds a bounded piece: long lines go through it in parts.
        let chars: Vec<char> = line.chars().collect();
        for part in chars.chunks(domain::untrusted::MAX_BYTES / 4) {
            out.push_str(&Untrusted::new(&part.iter().collect::<String>()).quoted());
        }
    }
    if cut.len() < raw.len() {
        out.push_str("\n…");
    }
    out
}

fn indent(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    // Deeper than this no further indent is added, so that nesting cannot blow the page up.
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth.min(20) * 2));
    };
    for c in raw.chars() {
        if in_text {
            out.push(c);
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn maybe(text: Option<&Untrusted>, say: Say) -> Markup {
    match text {
        Some(text) => show::verbatim(text),
        None => html! { span.hint { (say.pick("記録なし", "Not recorded")) } },
    }
}

fn digest(hash: &Hash) -> Markup {
    html! { dt { (hash.algorithm()) } dd { code { (hash.as_str()) } } }
}

pub(crate) fn signature(signature: &Signature, say: Say) -> Markup {
    let publisher = match signature {
        Signature::Valid { publisher } | Signature::Invalid { publisher } => publisher.as_ref(),
        Signature::Unknown | Signature::NotSigned => None,
    };
    html! { (say.text(words::signature(signature))) @if let Some(publisher) = publisher { " · " (show::foreign(publisher, 120)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gets_line_breaks_and_keeps_every_character() {
        let raw = r#"{"a":"x,{\"y\\","n":12345678901234567890,"a":[1,{}]}"#;
        let shown = indent(raw);
        assert_eq!(shown.replace(['\n', ' '], ""), raw.replace(' ', ""));
        assert!(shown.starts_with("{\n  \"a\": \"x,{\\\"y\\\\\",\n  \"n\": 12345678901234567890,"));
    }

    #[test]
    fn a_record_that_tries_to_deceive_is_seen_through_sec_35() {
        assert_eq!(readable("{\"n\":\"a\u{202e}b\u{0}\"}"), "{\n  \"n\": \"a\\u{202e}b\\u{0}\"\n}");
        let long = format!("\"{}\"", "あ".repeat(5000));
        assert_eq!(readable(&long).chars().count(), 5002);
    }

    #[test]
    fn rubbish_that_is_no_json_is_shown_all_the_same() {
        for raw in ["", "]]]", "\"open", "<html>", "{{{{"] {
            let _ = readable(raw);
        }
        assert_eq!(readable("<b>"), "<b>");
    }
}
