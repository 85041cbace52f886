//! A message to the customer about an incident: that it was decided, what it says, and what became of it.
//!
//! `Facts` are everything a message may state, taken from the incident and nothing else. How it is worded and carried is
//! the business of `notify`. Never in a message: guesses at causes, attribution, "safe", live links, other customers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::alert::{File, Hash};
use crate::clock::Exclusion;
use crate::ids::{AgentId, IncidentId, NoticeId, QuestionId};
use crate::incident::{Incident, Recorded, Visibility};
use crate::judgement::{Priority, Verdict};
use crate::language::{Language, Text};
use crate::question::{self, Question};
use crate::reason::{self, Ground};
use crate::rules::{self, RuleId, Strength, Weight};
use crate::tenant::Tenant;
use crate::untrusted::Untrusted;

/// The traffic-light marking of everything we send (SEC-81). English capitals, no blank, never translated.
pub const TLP: &str = "TLP:AMBER+STRICT";

/// Most endpoints that a message names beside the first.
pub const MAX_NAMED_HOSTS: usize = 3;
/// Most rows of a campaign's table in a message. The report has them all.
pub const MAX_TABLE_ROWS: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    First,
    Update,
    Question,
    /// The question once more, before its 72 hours are over.
    Reminder,
    /// The verdict so far, its grounds and a recommendation; the analysis goes on.
    Analysis,
    Verdict,
}

impl Kind {
    pub fn text(self) -> Text {
        match self {
            Self::First => Text::new("第一報", "First notice"),
            Self::Update => Text::new("続報", "Update"),
            Self::Question => Text::new("ご確認のお願い", "Question"),
            Self::Reminder => Text::new("ご確認のお願い（再送）", "Reminder"),
            Self::Analysis => Text::new("分析状況のご報告", "Analysis so far"),
            Self::Verdict => Text::new("分析結果のご報告", "Analysis result"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: NoticeId,
    pub kind: Kind,
    pub decided_at: Timestamp,
    /// When the next message is promised, `None` for the last one.
    pub next_update: Option<Timestamp>,
    /// The question that it asks, or reminds of.
    #[serde(default)]
    pub question: Option<QuestionId>,
    /// No channel took it within two minutes, and a person was called (REL-09).
    #[serde(default)]
    pub unconfirmed: bool,
    pub deliveries: BTreeMap<Route, Delivery>,
}

impl Notice {
    /// When the first channel took it.
    pub fn told_at(&self) -> Option<Timestamp> {
        let accepted = self.deliveries.values().filter_map(|d| match d {
            Delivery::Accepted { at, .. } => Some(*at),
            Delivery::Waiting | Delivery::Failed { .. } => None,
        });
        accepted.min()
    }
}

/// One way to the customer: a channel, and the language it is told in. Written `mail/ja`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Route {
    pub channel: Channel,
    pub language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    Mail,
    Slack,
}

impl Route {
    pub fn mail(language: Language) -> Self {
        Self { channel: Channel::Mail, language }
    }

    pub fn slack(language: Language) -> Self {
        Self { channel: Channel::Slack, language }
    }
}

impl Channel {
    pub fn text(self) -> Text {
        match self {
            Self::Mail => Text::new("メール", "e-mail"),
            Self::Slack => Text::new("Slack", "Slack"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = match self.channel {
            Channel::Mail => "mail",
            Channel::Slack => "slack",
        };
        write!(f, "{channel}/{}", self.language.tag())
    }
}

impl From<Route> for String {
    fn from(route: Route) -> String {
        route.to_string()
    }
}

impl TryFrom<String> for Route {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (channel, language) = text.split_once('/').ok_or("a route is written mail/ja")?;
        let channel = match channel {
            "mail" => Channel::Mail,
            "slack" => Channel::Slack,
            _ => return Err("a route's channel is mail or slack".into()),
        };
        Ok(Self { channel, language: language.parse()? })
    }
}

/// What became of a notice on one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Waiting,
    /// The channel took it (T3a).
    Accepted {
        at: Timestamp,
        /// The channel's own name of it: a mail's Message-ID, a Slack post's time stamp.
        reference: String,
    },
    Failed {
        why: Untrusted,
    },
}

/// Everything a message may say.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts<'a> {
    pub incident: IncidentId,
    pub tenant: &'a Tenant,
    pub notice: NoticeId,
    pub kind: Kind,
    pub priority: Priority,
    pub title: &'a Untrusted,
    /// The first alert's file, which a customer who is asked about it must be able to recognise.
    pub file: &'a File,
    /// How many more files were detected, as far as their alerts are kept.
    pub other_files: u32,
    pub rule: RuleId,
    pub what: Text,
    pub host: &'a Untrusted,
    pub user: Option<&'a Untrusted>,
    pub other_hosts: u32,
    /// The latest of them to join, newest first; at most `MAX_NAMED_HOSTS`.
    pub other_host_names: Vec<&'a Untrusted>,
    pub alert_count: u32,
    pub detected_at: Timestamp,
    pub verdict: Verdict,
    pub strength: Strength,
    pub grounds: &'a [Ground],
    pub mitigated: bool,
    pub dfir: bool,
    pub actions: Vec<&'a Action>,
    pub request: Option<Requested>,
    /// It asks the standard questions, whose 72 hours begin with it, or reminds of them.
    pub asks: bool,
    /// What an analyst added to the standard questions, when this is a question.
    pub question_addition: Option<&'a Untrusted>,
    /// The analyst's reason, when this tells the verdict.
    pub verdict_reason: Option<&'a Untrusted>,
    /// This tells the verdict, and nobody but 72 hours without an answer decided it.
    pub by_silence: bool,
    pub notes: Vec<&'a Untrusted>,
    /// The analyst's words, when this presents the analysis so far.
    pub presented: Option<&'a Untrusted>,
    /// Why it does not count against the service levels.
    pub excluded: Option<&'a Exclusion>,
    /// The endpoints and files of a scan campaign, at most `MAX_TABLE_ROWS`.
    pub table: Vec<TableRow<'a>>,
    pub next_update: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    pub weight: Weight,
    pub text: Text,
    pub by: Option<Timestamp>,
}

impl<'a> Facts<'a> {
    /// `None` when the incident has no such notice.
    pub fn of(incident: &'a Incident, tenant: &'a Tenant, notice: NoticeId) -> Option<Self> {
        let notice = incident.notices.get(&notice)?;
        let first = incident.alerts.first()?;
        let told_verdict = notice.kind == Kind::Verdict;
        Some(Self {
            incident: incident.id,
            tenant,
            notice: notice.id,
            kind: notice.kind,
            priority: incident.priority(),
            title: &incident.title,
            file: &first.file,
            other_files: other_files(incident, &first.file),
            rule: incident.judgement.rule,
            what: rules::rule(incident.judgement.rule).title,
            host: &first.endpoint.name,
            user: first.process.user.as_ref().or(first.endpoint.last_user.as_ref()),
            other_hosts: u32::try_from(incident.hosts.len().saturating_sub(1)).unwrap_or(u32::MAX),
            other_host_names: other_host_names(incident, &first.endpoint.agent),
            alert_count: incident.alert_count,
            detected_at: first.detected_at,
            verdict: incident.verdict,
            strength: incident.judgement.strength,
            grounds: &incident.judgement.grounds,
            mitigated: incident.is_mitigated(),
            dfir: incident.dfir,
            actions: incident.actions.values().collect(),
            request: requested(incident, notice),
            asks: notice.question.is_some(),
            question_addition: question_before(incident, notice)
                .filter(|_| matches!(notice.kind, Kind::Question | Kind::Reminder))
                .and_then(|q| q.addition.as_ref()),
            verdict_reason: incident
                .verdict_given
                .as_ref()
                .filter(|v| told_verdict && v.by.person().is_some())
                .map(|v| &v.reason),
            by_silence: told_verdict && incident.verdict_given.as_ref().is_some_and(|v| v.by.person().is_none()),
            notes: incident.notes.iter().filter(|n| n.visibility == Visibility::Customer).map(|n| &n.text).collect(),
            presented: incident.presented.last().filter(|_| notice.kind == Kind::Analysis).map(|p| &p.text),
            excluded: incident.clocks.as_ref().and_then(|c| c.excluded.as_ref()),
            table: table(incident),
            next_update: notice.next_update,
        })
    }
}

/// Equal detections of a scan campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableRow<'a> {
    pub host: &'a Untrusted,
    pub name: &'a Untrusted,
    pub mitigated: bool,
    pub alerts: u32,
}

fn table(incident: &Incident) -> Vec<TableRow<'_>> {
    if incident.pace.is_none() || incident.alert_count < 2 {
        return Vec::new();
    }
    let mut rows: Vec<TableRow<'_>> = Vec::new();
    for alert in &incident.alerts {
        let row =
            TableRow { host: &alert.endpoint.name, name: &alert.name, mitigated: alert.is_mitigated(), alerts: 1 };
        match rows.iter().position(|known| TableRow { alerts: 1, ..*known } == row) {
            Some(at) => rows[at].alerts += 1,
            None if rows.len() < MAX_TABLE_ROWS => rows.push(row),
            None => {}
        }
    }
    rows
}

fn other_host_names<'a>(incident: &'a Incident, first: &AgentId) -> Vec<&'a Untrusted> {
    let mut others: Vec<_> = incident.hosts.iter().filter(|(agent, _)| *agent != first).map(|(_, host)| host).collect();
    others.sort_by_key(|host| Reverse(host.first_seen));
    others.into_iter().map(|host| &host.name).take(MAX_NAMED_HOSTS).collect()
}

fn other_files(incident: &Incident, first: &File) -> u32 {
    // The same content is the same file, wherever it lies; without a hash, the place tells them apart.
    fn mark(file: &File) -> Option<&str> {
        file.best_hash().map(Hash::as_str).or_else(|| file.path.as_ref().map(Untrusted::for_matching))
    }
    let known: BTreeSet<&str> = incident.alerts.iter().filter_map(|a| mark(&a.file)).collect();
    u32::try_from(known.len().saturating_sub(usize::from(mark(first).is_some()))).unwrap_or(u32::MAX)
}

/// The question that was open, or had been, when the notice was decided.
fn question_before<'a>(incident: &'a Incident, notice: &Notice) -> Option<&'a Question> {
    incident.questions.values().rev().find(|q| q.asked_at <= notice.decided_at)
}

/// What the customer is asked for now, and by when. A deadline is named once and does not move with later notices, unless
/// it has passed: nobody is asked for something by yesterday.
fn requested(incident: &Incident, notice: &Notice) -> Option<Requested> {
    let request = rules::rule(incident.judgement.rule).request?;
    let told_verdict = notice.kind == Kind::Verdict;
    // Only the customer knows: the request is the question itself, with its 72 hours. An answer or the verdict ends it.
    let is_question = incident.judgement.verdict == Verdict::Undetermined;
    let question = question_before(incident, notice);
    let answered = question.and_then(|q| q.answer.as_ref()).is_some_and(|a| a.at <= notice.decided_at);
    let over =
        if is_question { told_verdict || answered } else { told_verdict && incident.verdict == Verdict::FalsePositive };
    if over {
        return None;
    }
    let told_before = incident.notices.values().take_while(|n| n.id <= notice.id);
    let by = match request.weight {
        _ if told_verdict => None,
        _ if is_question => question.filter(|q| q.overdue_at.is_none()).map(Question::announced_deadline),
        Weight::Must => told_before
            .filter(|n| !matches!(n.kind, Kind::Question | Kind::Reminder))
            .filter_map(|n| n.next_update)
            .find(|by| *by > notice.decided_at),
        Weight::Should | Weight::Could => None,
    };
    let by = by.filter(|by| *by > notice.decided_at);
    Some(Requested { weight: request.weight, text: request.text, by })
}

/// The notes that the console should hold for this incident, numbered from 1; each begins with its mark, by which a
/// repeated write is recognised.
pub fn console_notes(incident: &Incident, events: &[Recorded], language: Language) -> Vec<(u32, String)> {
    let mut notes = Vec::new();
    let mut add = |text: String| {
        let number = u32::try_from(notes.len()).unwrap_or(u32::MAX).saturating_add(1);
        notes.push((number, format!("{} {text}", note_mark(incident.id, number))));
    };
    for recorded in events {
        if let Some(text) = console_note(recorded, language) {
            add(text);
        }
    }
    notes
}

/// `[INC-2026-000123 #2]`.
pub fn note_mark(incident: IncidentId, number: u32) -> String {
    format!("[{incident} #{number}]")
}

fn console_note(recorded: &Recorded, language: Language) -> Option<String> {
    use crate::incident::Event;
    match &recorded.event {
        Event::Judged { judgement, .. } => Some(match language {
            Language::Ja => format!(
                "判定規則 {}（{}）、優先度 {}、判定 {}。根拠: {}",
                judgement.rule,
                rules::rule(judgement.rule).title.ja,
                judgement.priority.name(),
                judgement.verdict.text().ja,
                reason::sentence(&judgement.grounds, language)
            ),
            Language::En => format!(
                "Rule {} ({}), priority {}, verdict {}. Grounds: {}",
                judgement.rule,
                rules::rule(judgement.rule).title.en,
                judgement.priority.name(),
                judgement.verdict.text().en,
                reason::sentence(&judgement.grounds, language)
            ),
        }),
        Event::AnswerOverdue { verdict: Some(verdict), .. } => Some(match language {
            Language::Ja => format!(
                "{}時間以内にお客様のご回答がなかったため、判定: {}",
                question::HOURS_TO_ANSWER,
                verdict.text().ja
            ),
            Language::En => {
                format!("No answer within {} hours: verdict {}", question::HOURS_TO_ANSWER, verdict.text().en)
            }
        }),
        Event::VerdictGiven { verdict, reason } => Some(match language {
            Language::Ja => format!("分析担当者の判定: {}。理由: {}", verdict.text().ja, reason.quoted()),
            Language::En => format!("Analyst's verdict: {}. Reason: {}", verdict.text().en, reason.quoted()),
        }),
        _ => None,
    }
}
