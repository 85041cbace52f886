//! The facts of an incident report: which sections there are, and the first page.
//!
//! Everything comes from the record: the incident, its events, the tenant. What is not in it is said to be not recorded;
//! sections that need the investigation (6-9, 12-14) are left out.

use domain::calendar::in_japan;
use domain::endpoint::Network;
use domain::incident::{Incident, Phase, Recorded};
use domain::notice::{Kind, TLP};
use domain::rules::{self, Strength};
use domain::tenant::Tenant;
use domain::{Language, Timestamp, Verdict};

use crate::facts::{Block, Cell, Facts, Line, Priority, Row, Section, Words, cell, row};
use crate::show::Say;
use crate::{Options, PAP};

mod appendix;
mod assets;
mod happened;
mod requests;
mod response;
mod technical;
mod timeline;
mod verdict;
mod words;

/// Most addressees named one by one.
const MAX_ADDRESSEES: usize = 6;

/// One incident as the sections look at it.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    say: Say,
    incident: &'a Incident,
    events: &'a [Recorded],
    tenant: &'a Tenant,
    options: Options<'a>,
}

impl Facts {
    pub fn of(
        incident: &Incident,
        events: &[Recorded],
        tenant: &Tenant,
        language: Language,
        options: Options<'_>,
    ) -> Self {
        Case { say: Say(language), incident, events, tenant, options }.facts()
    }
}

impl Case<'_> {
    fn facts(&self) -> Facts {
        let say = self.say;
        let heading = say.pick("インシデント報告書", "Incident report");
        let priority = self.incident.priority();
        Facts {
            language: say.0.tag(),
            id: self.incident.id.to_string(),
            title: format!("{heading} {}", self.incident.id),
            heading: heading.to_owned(),
            tlp: TLP,
            priority: Priority {
                name: priority.name(),
                severity: say.text(priority.severity()),
                label: say.pick("優先度", "Priority"),
            },
            addressee: self.addressee(),
            issuer: self.issuer(),
            issued: say.day(self.options.now),
            date: in_japan(self.options.now).into(),
            headline: self.headline(),
            summary: self.summary(),
            control: self.control(),
            sections: vec![
                self.verdict_section(),
                self.timeline_section(),
                self.assets_section(),
                self.technical_section(),
                self.response_section(),
                self.requests_section(),
                self.appendix_section(),
            ],
            words: Words {
                summary: say.pick("要約", "Summary"),
                page: say.pick("ページ", "Page"),
                end: say.pick("以上", "End of report"),
            },
        }
    }

    /// 社名、部署・役職・氏名 様; in English by name first.
    fn addressee(&self) -> Vec<String> {
        let company = self.say.names(&self.tenant.name);
        let contacts = &self.tenant.contacts;
        if contacts.is_empty() {
            return vec![self.say.pick(format!("{company} 御中"), company)];
        }
        let mut lines = vec![company];
        for contact in contacts.iter().take(MAX_ADDRESSEES) {
            let part = |names: &Option<_>| names.as_ref().map(|n| self.say.names(n));
            let (department, title, name) =
                (part(&contact.department), part(&contact.title), self.say.names(&contact.name));
            lines.push(match self.say.0 {
                Language::Ja => {
                    let before: Vec<String> = [department, title].into_iter().flatten().collect();
                    [before, vec![format!("{name} 様")]].concat().join("　")
                }
                Language::En => [Some(name), title, department].into_iter().flatten().collect::<Vec<_>>().join(", "),
            });
        }
        if let Some(more) = contacts.len().checked_sub(MAX_ADDRESSEES).filter(|n| *n > 0) {
            lines.push(self.say.pick(format!("ほか {more} 名"), format!("and {more} more")));
        }
        lines
    }

    fn issuer(&self) -> Vec<String> {
        let issuer = self.options.issuer;
        let contact = issuer.contact.as_ref().map(|c| self.say.names(c));
        [Some(self.say.names(&issuer.name)), contact].into_iter().flatten().collect()
    }

    /// What it is and how sure we are, in the certainty words of `practice.md` §3.
    fn headline(&self) -> String {
        let title = self.say.text(rules::rule(self.incident.judgement.rule).title);
        let (ja, en) = match (self.incident.verdict, self.incident.judgement.strength) {
            (Verdict::TruePositive, Strength::Decisive) => {
                (format!("「{title}」であることを確認しました。"), format!("Confirmed: {title}."))
            }
            (Verdict::TruePositive, Strength::Strong) => (
                format!("「{title}」と判断しています（確度：高）。"),
                format!("Assessed with high confidence: {title}."),
            ),
            (Verdict::TruePositive, Strength::Weak) if self.incident.verdict_given.is_some() => (
                format!("正検知と判断しています（検知の区分：{title}）。"),
                format!("Assessed as a true positive. Kind of detection: {title}."),
            ),
            (Verdict::TruePositive, Strength::Weak) | (Verdict::Suspicious, _) => {
                (format!("「{title}」の可能性があります。"), format!("Possible: {title}."))
            }
            (Verdict::FalsePositive, Strength::Weak) if self.incident.verdict_given.is_none() => (
                format!("誤検知の可能性があります（検知の区分：{title}）。"),
                format!("Possible false positive. Kind of detection: {title}."),
            ),
            (Verdict::FalsePositive, _) => (
                format!("誤検知と判断しています（検知の区分：{title}）。"),
                format!("Assessed as a false positive. Kind of detection: {title}."),
            ),
            (Verdict::Undetermined, _) => (
                format!("悪意の有無は、現時点では判断できません（検知の区分：{title}）。"),
                format!("Cannot be determined yet. Kind of detection: {title}."),
            ),
        };
        self.say.pick(ja, en)
    }

    fn summary(&self) -> Vec<Row> {
        let say = self.say;
        vec![
            row(say.pick("何が起きたか", "What happened"), cell(self.what_happened())),
            row(say.pick("判定と確度", "Verdict, certainty"), self.verdict_and_certainty()),
            row(say.pick("影響", "Impact"), self.impact()),
            row(say.pick("実施済みの対処", "Done"), self.done()),
            row(say.pick("お願いと期限", "Asked, by when"), self.asked()),
        ]
    }

    fn what_happened(&self) -> String {
        let say = self.say;
        let Some(first) = self.incident.alerts.first() else {
            return say.not_recorded().to_owned();
        };
        let at = say.moment(first.detected_at);
        let host = say.name(&first.endpoint.name);
        let name = say.name(&self.incident.title);
        let user = first.process.user.as_ref().or(first.endpoint.last_user.as_ref()).map(|u| say.account(u));
        let count = self.incident.alert_count;
        match say.0 {
            Language::Ja => {
                let user = user.map_or_else(String::new, |u| format!("（利用者{u}）"));
                let total = if count > 1 {
                    format!("関連する検知は合わせて {count} 件です。")
                } else {
                    String::new()
                };
                format!("{at}、端末{host}{user}で EDR が{name}を検知しました。{total}")
            }
            Language::En => {
                let user = user.map_or_else(String::new, |u| format!(" (user {u})"));
                let total = if count > 1 { format!(" {count} related detections in all.") } else { String::new() };
                format!("On {at}, the EDR detected {name} on endpoint {host}{user}.{total}")
            }
        }
    }

    fn impact(&self) -> Cell {
        let say = self.say;
        let hosts = self.incident.hosts.len();
        let state = if self.incident.is_mitigated() {
            say.pick(
                "検知されたものはすべて、端末上で対処済みと記録されています。",
                "Everything detected is recorded as mitigated on the endpoint.",
            )
        } else if self.has_contained_everything() {
            say.pick(
                "EDR の記録では未対処の検知がありますが、当方の対処は結果を確認済みです（第10節）。",
                "The EDR's own record lists detections as not mitigated; our actions are done and verified (section 10).",
            )
        } else {
            say.pick(
                "端末上で対処済みと確認できていない検知があります。",
                "Not every detection is known to be mitigated on the endpoint.",
            )
        };
        let known = say.pick(
            format!("検知があった端末は {hosts} 台です。{state}"),
            format!("Endpoints with detections: {hosts}. {state}"),
        );
        let unknown = say.pick(
            "業務への影響、データの流出の有無は記録にありません。",
            "Whether business was affected or data left the company is not on record.",
        );
        vec![Line::plain(known), Line::small(unknown)]
    }

    /// Whether there were actions of ours and all took effect.
    fn has_contained_everything(&self) -> bool {
        use domain::action::State;
        let actions = &self.incident.actions;
        !actions.is_empty() && actions.values().all(|a| matches!(a.state, State::Verified { .. }))
    }

    fn control(&self) -> Section {
        let say = self.say;
        let rows = vec![
            row(say.pick("インシデント番号", "Incident"), vec![Line::strong(self.incident.id.to_string())]),
            row(say.pick("版", "Version"), cell(self.version())),
            row(say.pick("状況", "Status"), cell(self.status())),
            row(
                say.pick("取扱区分", "Handling"),
                vec![
                    Line::plain(format!("{TLP} / {PAP}")),
                    Line::small(say.pick(
                        "TLP：受領組織内の必要な方に限り共有できます。PAP：記載の指標を、攻撃者に知られる方法（接続・走査など）で調べないでください。",
                        "TLP: share only within your organisation, with those who need it. PAP: do not probe or contact what the indicators point to.",
                    )),
                ],
            ),
            row(say.pick("作成・判定", "Author"), cell(self.author())),
            row(say.pick("確認者", "Reviewer"), cell(say.not_recorded())),
            row(
                say.pick("節番号", "Section numbers"),
                vec![Line::small(say.pick(
                    "全報告書に共通です。第6～9節と第12～14節は、該当する調査を行った場合にのみ記載します。",
                    "The same in every report. Sections 6-9 and 12-14 appear only when the investigation they report on was made.",
                ))],
            ),
        ];
        Section::new("0", say.pick("管理情報", "Document control"), vec![Block::Rows { rows }])
    }

    fn version(&self) -> String {
        let (version, at) = (self.incident.version, self.say.moment(self.options.now));
        self.say.pick(
            format!("第 {version} 版（記録 {version} 件、{at}時点）"),
            format!("{version} (events on record, as of {at})"),
        )
    }

    fn status(&self) -> String {
        let phase = self.say.text(self.incident.phase.text());
        let dfir = if self.incident.dfir {
            self.say.pick("、重大事案対応（DFIRモード）", ", DFIR mode")
        } else {
            ""
        };
        format!("{phase}{dfir}")
    }

    fn author(&self) -> String {
        let say = self.say;
        if let Some(who) = self.incident.verdict_given.as_ref().and_then(|given| given.by.person()) {
            let who = say.person(who, self.options.issuer);
            return say.pick(format!("{who}（判定した分析担当者）"), format!("{who} (analyst who gave the verdict)"));
        }
        if let Some(id) = &self.incident.assigned {
            let who = say.person(id, self.options.issuer);
            return say.pick(
                format!("{who}（担当。分析担当者の判定は未登録）"),
                format!("{who} (assigned; no analyst's verdict yet)"),
            );
        }
        say.pick(
            "記録からの自動作成（分析担当者の判定は未登録）",
            "Made automatically from the record; no analyst's verdict yet",
        )
        .to_owned()
    }

    /// The newest promise of a further message, while it still lies ahead.
    fn next_update(&self) -> Option<Timestamp> {
        if self.incident.phase == Phase::Closed {
            return None;
        }
        let newest = self.incident.notices.values().next_back()?;
        newest.next_update.filter(|at| newest.kind != Kind::Verdict && *at > self.options.now)
    }

    /// Where an endpoint's network state stands now, as far as the record goes.
    fn network_text(&self, network: Network) -> &'static str {
        self.say.text(words::network(network))
    }
}
