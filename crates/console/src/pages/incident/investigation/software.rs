//! What is installed on each endpoint, and which known vulnerabilities of it are published.
//!
//! A missing match is no statement that something is safe, and every match says on what it rests and how sure it is.

use std::collections::BTreeSet;

use domain::evidence::{Evidence, Inquiry};
use domain::vulnerability::{Basis, Match, Patch, Software, Sure};
use domain::{AgentId, Language, Untrusted};
use maud::{Markup, html};

use super::{Investigation, Room, Sort, left_out, rows};
use crate::say::Say;
use crate::show;

const ROOM: usize = 200_000;
const MOST: usize = 80;
const MOST_PROGRAMS: usize = 500;
const MAX_PUBLISHED: usize = 4;
const MAX_SCORES: usize = 3;
const MAX_RANGES: usize = 3;

const SOFTWARE: Sort = |inquiry| matches!(inquiry, Inquiry::Software { .. });
const VULNERABILITIES: Sort = |inquiry| matches!(inquiry, Inquiry::Vulnerabilities { .. });

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let (say, findings) = (it.say, it.findings);
    let agents: BTreeSet<&AgentId> = findings.software.keys().chain(findings.vulnerabilities.keys()).collect();
    let mut room = Room(ROOM);
    let endpoints: Vec<Markup> = agents.into_iter().map(|agent| endpoint(it, agent, &mut room)).collect();
    let count = findings.vulnerabilities.values().map(Vec::len).sum();
    let body = html! { @for endpoint in endpoints { (endpoint) } };
    let title = say.pick("ソフトウェアと脆弱性", "Software and vulnerabilities");
    it.part("part-software", title, count, false, &[SOFTWARE, VULNERABILITIES], &body)
}

fn endpoint(it: &Investigation<'_>, agent: &AgentId, room: &mut Room) -> Markup {
    let say = it.say;
    let about: Vec<&Evidence> = it
        .evidence(|i| matches!(i, Inquiry::Software { .. } | Inquiry::Vulnerabilities { .. }))
        .filter(|e| match &e.answer.inquiry {
            Inquiry::Software { agent: asked } | Inquiry::Vulnerabilities { agent: asked } => asked == agent,
            _ => false,
        })
        .collect();
    let mut matches: Vec<&Match> = it.findings.vulnerabilities.get(agent).into_iter().flatten().collect();
    // Known to be exploited first, then by the newest score.
    matches.sort_by(|a, b| {
        let weight = |m: &Match| (m.kev.is_some(), m.cvss.first().map_or(0.0, |s| s.score));
        let ((a_kev, a_score), (b_kev, b_score)) = (weight(a), weight(b));
        b_kev.cmp(&a_kev).then(b_score.total_cmp(&a_score))
    });
    let (list, left) = rows(&matches, MOST, room, |m| row(m, say));
    let programs = it.findings.software.get(agent).map_or(&[][..], Vec::as_slice);
    let (names, unnamed) = rows(programs, MOST_PROGRAMS, room, program);
    html! {
        (it.host(agent, &about))
        ul.vulnerabilities { (list) }
        (left_out(left, say))
        @if !programs.is_empty() {
            details.others #(format!("programs-{agent}")) {
                summary { (say.pick(
                    format!("インストール済みソフトウェア {} 件", programs.len()),
                    format!("{} programs installed", programs.len()),
                )) }
                ul.programs { (names) }
                (left_out(unnamed, say))
            }
        }
    }
}

fn program(software: &Software) -> Markup {
    html! {
        li {
            (show::dead(&software.product, 100))
            @if let Some(version) = &software.version { " " span.hint { (show::dead(version, 40)) } }
            @if let Some(publisher) = &software.publisher { " · " span.hint { (show::dead(publisher, 60)) } }
        }
    }
}

fn row(m: &Match, say: Say) -> Markup {
    html! {
        li.(if m.kev.is_some() { "bad" } else { "nothing" }) {
            p.line {
                span.sign aria-hidden="true" {}
                b { (plain(&m.cve)) }
                @if let Some(title) = title(m, say) { span { (show::dead(title, 160)) } }
            }
            p.line {
                @for score in m.cvss.iter().take(MAX_SCORES) {
                    span { "CVSS " (plain(&score.version)) " " b { (format!("{:.1}", score.score)) } " "
                        span.hint { (show::dead(&score.by, 30)) }
                        @if score.disagrees() { " " span.flag.trouble { (say.pick("ベクトルと不一致", "not what its vector gives")) } }
                    }
                }
                @if m.cvss.is_empty() { span.hint { (say.pick("CVSS の公表なし", "No CVSS published")) } }
                @if let Some(kev) = &m.kev {
                    span.flag { (say.pick("悪用確認済み（KEV）", "Known exploited (KEV)")) " " (kev.added) }
                    @if kev.ransomware { span.flag { (say.pick("ランサムウェアでの悪用", "used by ransomware")) } }
                }
                @if let Some(epss) = &m.epss { span { "EPSS " (format!("{:.1} %", epss.probability * 100.0)) } }
            }
            dl.facts {
                dt { (say.pick("公表", "Published")) }
                dd {
                    @for (n, published) in m.published.iter().take(MAX_PUBLISHED).enumerate() {
                        @if n > 0 { ", " } (published.by.name()) " " (published.on)
                        @if let Some(id) = &published.id { " " (plain(id)) }
                    }
                    @if m.published.is_empty() { span.hint { (say.pick("日付の記載なし", "No date given")) } }
                }
                dt { (say.pick("導入", "Installed")) }
                dd {
                    (show::dead(&m.product, 100)) " "
                    @match &m.installed {
                        Some(version) => b { (show::dead(version, 60)) },
                        None => span.hint { (say.pick("バージョン不明", "version not known")) },
                    }
                }
                dt { (say.pick("影響範囲", "Affected")) }
                dd {
                    @for (n, range) in m.affected.iter().take(MAX_RANGES).enumerate() {
                        @if n > 0 { "; " } (show::dead(&Untrusted::new(&range.text(say.0)), 200))
                    }
                    @if m.affected.len() > MAX_RANGES { " + " (m.affected.len() - MAX_RANGES) }
                }
                dt { (say.pick("根拠", "Basis")) }
                dd {
                    b.(sure(m.sure)) { (say.text(m.sure.text())) } " · " (say.text(m.basis.text()))
                    @if let Basis::KbMissing { kb: Some(kb) } = m.basis { " KB" (kb) }
                    @for doubt in &m.doubts { " · " span.hint { (say.text(doubt.text())) } }
                }
                dt { (say.pick("修正", "Patch")) }
                dd { (patch(m, say)) }
            }
        }
    }
}

fn patch(m: &Match, say: Say) -> Markup {
    html! {
        (say.text(m.patch.text()))
        @match &m.patch {
            Patch::Released { fixed, on } => {
                " " b { (plain(fixed)) }
                @if let Some(on) = on { " " (on) }
            }
            Patch::EndOfLife { since } => { " " (since) }
            Patch::MitigationOnly | Patch::None | Patch::Unknown => {}
        }
        @if let Some(end) = m.end_of_life {
            " " span.flag.trouble { (say.pick("導入系列のサポート終了", "installed line at end of life")) " " (end) }
        }
        @if let Some(date) = m.data_as_of { span.hint { " · " (say.pick("データ時点", "data as of")) " " (date) } }
    }
}

fn title(m: &Match, say: Say) -> Option<&Untrusted> {
    let title = m.title.as_ref()?;
    let (own, other) = match say.0 {
        Language::Ja => (&title.ja, &title.en),
        Language::En => (&title.en, &title.ja),
    };
    own.as_ref().or(other.as_ref())
}

fn sure(sure: Sure) -> &'static str {
    match sure {
        Sure::Confirmed => "confirmed",
        Sure::Likely => "likely",
        Sure::Possible => "possible",
    }
}

/// What a feed wrote where we expect a number or a version.
fn plain(text: &str) -> Markup {
    show::dead(&Untrusted::new(text), 60)
}
