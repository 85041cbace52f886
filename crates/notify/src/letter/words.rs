//! The wording, in both languages (`practice.md` §3). English mirrors the fields, not the courtesies.
//!
//! Certainty is said in fixed words. There is no sentence here for a cause, an attacker or an all-clear, and none that
//! names another customer: what `Facts` does not hold cannot be said.

use domain::action::State;
use domain::defang::defang;
use domain::notice::{Facts, Kind, Requested, TLP};
use domain::question::HOURS_TO_ANSWER;
use domain::reason;
use domain::rules::{RuleId, Strength, Weight};
use domain::tenant::{Contact, Names};
use domain::{Language, Text, Timestamp, Untrusted, Verdict};

use super::{Item, Line, Medium};
use crate::{Sender, shown};

mod items;

/// More contacts than this are addressed together.
const MAX_NAMED: usize = 4;

pub(super) struct Words<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) language: Language,
    pub(super) medium: Medium,
}

impl Words<'_> {
    fn say(&self, ja: &'static str, en: &'static str) -> &'static str {
        Text::new(ja, en).in_language(self.language)
    }

    fn item(&self, label: Text, lines: Vec<Line>) -> Item {
        Item { label: label.in_language(self.language), lines }
    }

    fn plain(&self, label: Text, line: String) -> Item {
        self.item(label, vec![Line::Plain(line)])
    }

    fn time(&self, at: Timestamp) -> String {
        shown::time(at, self.language)
    }

    // ── head and foot of the letter ─────────────────────────────────────────────────────────────────────────────────

    pub(super) fn heading(&self) -> String {
        let Facts { kind, notice, verdict, .. } = self.facts;
        let verdict = verdict.text().in_language(self.language);
        match (kind, self.language) {
            (Kind::First, Language::Ja) => "不審な活動の検知（第一報）".into(),
            (Kind::First, Language::En) => "suspicious activity detected (first notice)".into(),
            (Kind::Update, Language::Ja) => format!("不審な活動の検知（続報・第{}報）", notice.0),
            (Kind::Update, Language::En) => format!("suspicious activity, update (notice {})", notice.0),
            (Kind::Question, Language::Ja) => "検知内容に関するご確認のお願い".into(),
            (Kind::Question, Language::En) => "questions about a detection".into(),
            (Kind::Reminder, Language::Ja) => "検知内容に関するご確認のお願い（再送）".into(),
            (Kind::Reminder, Language::En) => "questions about a detection (reminder)".into(),
            (Kind::Analysis, Language::Ja) => format!("分析状況のご報告（現時点の判定：{verdict}）"),
            (Kind::Analysis, Language::En) => format!("analysis so far: {}", verdict.to_lowercase()),
            (Kind::Verdict, Language::Ja) => format!("分析結果のご報告：{verdict}"),
            (Kind::Verdict, Language::En) => format!("analysis result: {}", verdict.to_lowercase()),
        }
    }

    pub(super) fn addressees(&self) -> Vec<String> {
        let tenant = self.facts.tenant;
        let company = tenant.name.in_language(self.language).to_owned();
        let several = self.say("ご担当者 各位", "All contacts");
        let people = if tenant.contacts.is_empty() || tenant.contacts.len() > MAX_NAMED {
            vec![several.to_owned()]
        } else {
            tenant.contacts.iter().map(|c| self.person(c)).collect()
        };
        std::iter::once(company).chain(people).collect()
    }

    /// 部署・役職・氏名 様; in English name, title, department.
    fn person(&self, contact: &Contact) -> String {
        let text = |names: &Names| names.in_language(self.language).to_owned();
        let (department, title) = (contact.department.as_ref().map(text), contact.title.as_ref().map(text));
        let name = text(&contact.name);
        match self.language {
            Language::Ja => {
                let addressed = ["様", "各位", "御中"].iter().any(|end| name.ends_with(end));
                let name = if addressed { name } else { format!("{name} 様") };
                department.into_iter().chain(title).chain([name]).collect::<Vec<_>>().join(" ")
            }
            Language::En => [name].into_iter().chain(title).chain(department).collect::<Vec<_>>().join(", "),
        }
    }

    pub(super) fn greeting(&self, sender: &Sender) -> Option<String> {
        (self.language == Language::Ja)
            .then(|| format!("いつもお世話になっております。{}です。", sender.name(Language::Ja)))
    }

    pub(super) fn signature(&self, sender: &Sender) -> Vec<String> {
        let mut lines = vec![sender.name(self.language).to_owned(), format!("E-mail: {}", sender.address.as_str())];
        if let Some(number) = &sender.telephone {
            let label = self.say("緊急連絡先（24時間365日）", "Emergency line (24/365)");
            lines.push(format!("{label}: {}", number.as_str()));
        }
        let sharing = self.say(
            "貴社内で業務上必要な方に限りご共有ください。社外への共有はお控えください。",
            "Share only inside your organisation, and only with those who need to know.",
        );
        lines.push(format!("{TLP} {sharing}"));
        lines
    }

    // ── the conclusion, and the summary that repeats it in four lines ───────────────────────────────────────────────

    pub(super) fn conclusion(&self) -> Vec<String> {
        match self.facts.kind {
            Kind::First => vec![self.assessment(), self.done_and_asked()],
            Kind::Update => vec![self.update(), self.assessment(), self.done_and_asked()],
            Kind::Question => vec![self.why_we_ask()],
            Kind::Reminder => vec![self.reminder(), self.why_we_ask()],
            Kind::Analysis => vec![self.so_far(), self.assessment(), self.done_and_asked()],
            Kind::Verdict if self.facts.by_silence => vec![self.result_of_silence(), self.done_and_asked()],
            Kind::Verdict => vec![self.result(), self.done_and_asked()],
        }
    }

    pub(super) fn summary(&self) -> Vec<(&'static str, String)> {
        vec![
            (self.say("何が起きたか", "What is wrong"), self.what_and_where()),
            (self.say("どの程度確かか", "How sure we are"), self.stand_so_far()),
            (self.say("実施したこと", "What was done"), self.done()),
            (self.say("お願い（期限）", "What we ask of you, by when"), self.asked(|r| r.text.ja.to_owned())),
        ]
    }

    /// What the rule floor says so far.
    fn assessment(&self) -> String {
        let (hosts, certainty, subject) = (self.hosts(), self.certainty(), self.named());
        match (self.language, self.facts.verdict, self.strength()) {
            (Language::Ja, Verdict::Undetermined, _) => {
                format!("端末 {hosts} での検知{subject}について、悪意の有無は{certainty}（理由は下記のとおり）。")
            }
            (Language::Ja, ..) if self.is_nameless() => format!("端末 {hosts} での検知は、{}。", self.stand()),
            (Language::Ja, _, Strength::Decisive) => {
                format!("端末 {hosts} において、「{}」に該当する活動を{certainty}。", self.what())
            }
            (Language::Ja, _, Strength::Strong) => {
                format!("端末 {hosts} で検知した活動は、「{}」に該当すると{certainty}。", self.what())
            }
            (Language::Ja, _, Strength::Weak) => {
                format!("端末 {hosts} で検知した活動は、「{}」に該当する{certainty}。", self.what())
            }
            (Language::En, Verdict::Undetermined, _) => {
                format!(
                    "Endpoint {hosts}: activity was detected{subject}. \
                     We {certainty} yet whether it is malicious; the reasons are below."
                )
            }
            (Language::En, _, _) => format!("Endpoint {hosts}: {} ({certainty}).", self.what()),
        }
    }

    fn update(&self) -> String {
        match self.language {
            Language::Ja => format!("{} につきまして、続報をご報告いたします。", self.facts.incident),
            Language::En => format!("Update on {}.", self.facts.incident),
        }
    }

    fn why_we_ask(&self) -> String {
        let (hosts, subject) = (self.hosts(), self.named());
        match (self.language, self.by()) {
            (Language::Ja, Some(by)) => format!(
                "端末 {hosts} での検知{subject}の判定にあたり、お客様にご確認いただきたい点がございます。\
                 下記のご質問に、{by} までにご回答くださいますようお願いいたします。"
            ),
            (Language::Ja, None) => format!(
                "端末 {hosts} での検知{subject}の判定にあたり、お客様にご確認いただきたい点がございます。\
                 下記のご質問にご回答くださいますようお願いいたします。"
            ),
            (Language::En, Some(by)) => format!(
                "Endpoint {hosts}: activity was detected{subject}, and you hold facts that the verdict depends on. \
                 Please answer the questions below by {by}."
            ),
            (Language::En, None) => format!(
                "Endpoint {hosts}: activity was detected{subject}, and you hold facts that the verdict depends on. \
                 Please answer the questions below."
            ),
        }
    }

    fn reminder(&self) -> String {
        self.say(
            "先にお送りしましたご質問につきまして、ご回答をまだ確認できておりません。行き違いの場合は、何卒ご容赦ください。",
            "We have not seen an answer to our question yet. If it has crossed with this message, please disregard it.",
        )
        .to_owned()
    }

    fn so_far(&self) -> String {
        match self.language {
            Language::Ja => format!("{} の分析状況をご報告いたします。分析は引き続き行います。", self.facts.incident),
            Language::En => format!("What the analysis of {} shows so far; it continues.", self.facts.incident),
        }
    }

    /// The agreed rule's verdict, after 72 hours without an answer.
    fn result_of_silence(&self) -> String {
        let (hosts, subject, verdict) = (self.hosts(), self.named(), self.verdict());
        match self.language {
            Language::Ja => format!(
                "端末 {hosts} での検知{subject}について、{HOURS_TO_ANSWER}時間以内にご回答を確認できなかったため、判定を「{verdict}」といたします。\
                 ご回答は引き続き承り、内容に応じて判定を見直します。"
            ),
            Language::En => format!(
                "Endpoint {hosts}{subject}: no answer reached us within {HOURS_TO_ANSWER} hours, so the verdict becomes \
                 “{}”. An answer is still welcome: we then look at the verdict again.",
                verdict.to_lowercase()
            ),
        }
    }

    /// The analyst's verdict.
    fn result(&self) -> String {
        let (hosts, certainty, subject) = (self.hosts(), self.certainty(), self.named());
        match (self.language, self.facts.verdict) {
            (Language::Ja, Verdict::TruePositive) if self.strength() == Strength::Decisive => {
                format!("分析の結果、端末 {hosts} での検知{subject}が正検知であることを{certainty}。")
            }
            (Language::Ja, Verdict::TruePositive) => {
                format!("分析の結果、端末 {hosts} での検知{subject}は正検知と{certainty}。")
            }
            (Language::Ja, Verdict::FalsePositive) => {
                format!("分析の結果、端末 {hosts} での検知{subject}は誤検知と{certainty}。{}", self.not_observed())
            }
            (Language::Ja, _) => {
                format!("分析の結果、端末 {hosts} での検知{subject}は、悪意のある活動である{certainty}。")
            }
            (Language::En, Verdict::FalsePositive) => format!(
                "Analysis result for endpoint {hosts}{subject}: false positive ({certainty}). {}",
                self.not_observed()
            ),
            (Language::En, verdict) => {
                let verdict = verdict.text().en.to_lowercase();
                format!("Analysis result for endpoint {hosts}{subject}: {verdict} ({certainty}).")
            }
        }
    }

    fn done_and_asked(&self) -> String {
        let done = self.done_sentence();
        // An undetermined event is asked about; whatever else is asked is to be done.
        let is_question = self.facts.verdict == Verdict::Undetermined;
        let asked = match (self.language, self.facts.request.map(|r| r.weight), self.by()) {
            (Language::Ja, Some(_), Some(by)) if is_question => {
                format!("下記のお願い事項につきまして、{by} までにご回答くださいますようお願いいたします。")
            }
            (Language::Ja, Some(Weight::Must), Some(by)) => {
                format!("下記のお願い事項につきまして、{by} までにご対応くださいますようお願いいたします。")
            }
            (Language::Ja, Some(Weight::Must), None) => {
                "下記のお願い事項につきまして、ご対応くださいますようお願いいたします。".into()
            }
            (Language::Ja, Some(_), _) => "下記の推奨事項につきまして、ご確認いただけますと幸いです。".into(),
            (Language::Ja, None, _) => "現時点で、お客様にお願いする事項はございません。".into(),
            (Language::En, Some(_), Some(by)) if is_question => format!("We need your answer by {by}: see below."),
            (Language::En, Some(Weight::Must), Some(by)) => format!("Action is required of you by {by}: see below."),
            (Language::En, Some(Weight::Must), None) => "Action is required of you: see below.".into(),
            (Language::En, Some(_), _) => "We recommend a step on your side: see below.".into(),
            (Language::En, None, _) => "Nothing is asked of you at present.".into(),
        };
        match self.language {
            Language::Ja => format!("{done}{asked}"),
            Language::En => format!("{done} {asked}"),
        }
    }

    // ── building blocks ─────────────────────────────────────────────────────────────────────────────────────────────

    /// The name of the first endpoint, as it calls itself.
    pub(super) fn host(&self, max: usize) -> String {
        self.host_name(self.facts.host, max)
    }

    fn host_name(&self, name: &Untrusted, max: usize) -> String {
        let name = shown::one_line(name, max);
        if name.trim().is_empty() {
            self.say("（端末名の記録なし）", "(no name recorded)").into()
        } else {
            name
        }
    }

    fn hosts(&self) -> String {
        let host = self.host(60);
        match (self.language, self.facts.other_hosts) {
            (_, 0) => host,
            (Language::Ja, n) => format!("{host} ほか{n}台"),
            (Language::En, 1) => format!("{host} and 1 other"),
            (Language::En, n) => format!("{host} and {n} others"),
        }
    }

    fn what_and_where(&self) -> String {
        match self.language {
            Language::Ja => format!("{}（{}）", self.what(), self.hosts()),
            Language::En => format!("{} ({})", self.what(), self.hosts()),
        }
    }

    /// What a false positive means, and what it does not mean.
    fn not_observed(&self) -> String {
        let (hosts, alerts) = (self.facts.other_hosts.saturating_add(1), self.facts.alert_count);
        match self.language {
            Language::Ja => {
                format!("確認した範囲（端末{hosts}台、アラート{alerts}件）では、悪意のある活動は認められませんでした。")
            }
            Language::En => format!(
                "Malicious activity was not observed within the scope examined ({}, {}).",
                count(hosts, "endpoint"),
                count(alerts, "alert")
            ),
        }
    }

    /// Rules that say what is known of an event, not what it is: they give it no name.
    fn is_nameless(&self) -> bool {
        matches!(self.facts.rule, RuleId::R13 | RuleId::R14 | RuleId::R23)
    }

    /// What it is about.
    fn what(&self) -> &'static str {
        if self.is_nameless() {
            return self.say("不審な活動", "Suspicious activity");
        }
        self.facts.what.in_language(self.language)
    }

    /// The same in brackets after a noun, or nothing.
    fn named(&self) -> String {
        match self.language {
            _ if self.is_nameless() => String::new(),
            Language::Ja => format!("（{}）", self.what()),
            Language::En => format!(" ({})", running(self.what())),
        }
    }

    fn verdict(&self) -> &'static str {
        self.facts.verdict.text().in_language(self.language)
    }

    /// How firmly the verdict stands. The two firm verdicts mean at least "assessed, high"; "confirmed" needs decisive
    /// evidence of an attack. A doubtful one, once analysed, stays "possible".
    fn strength(&self) -> Strength {
        match (self.facts.verdict, self.facts.kind) {
            (Verdict::TruePositive, _) => self.facts.strength.max(Strength::Strong),
            (Verdict::FalsePositive, _) => Strength::Strong,
            (_, Kind::Verdict) => Strength::Weak,
            _ => self.facts.strength,
        }
    }

    fn certainty(&self) -> &'static str {
        if self.facts.verdict == Verdict::Undetermined {
            return self.say("現時点では判断できません", "cannot determine");
        }
        self.strength().certainty().in_language(self.language)
    }

    /// Verdict and certainty in one phrase.
    fn stand(&self) -> String {
        let (verdict, certainty) = (self.verdict(), self.certainty());
        match (self.language, self.facts.verdict, self.strength()) {
            (Language::En, ..) => format!("{verdict}: {certainty}"),
            (Language::Ja, Verdict::Undetermined, _) => format!("{verdict}：{certainty}"),
            (Language::Ja, _, Strength::Decisive) => format!("{verdict}であることを{certainty}"),
            (Language::Ja, _, Strength::Strong) => format!("{verdict}と{certainty}"),
            (Language::Ja, _, Strength::Weak) => format!("{verdict}：悪意のある活動である{certainty}"),
        }
    }

    fn stand_so_far(&self) -> String {
        let is_open = self.language == Language::En && self.facts.verdict == Verdict::Undetermined;
        if is_open { format!("{} yet", self.stand()) } else { self.stand() }
    }

    fn grounds(&self) -> String {
        defang(&reason::sentence(self.facts.grounds, self.language))
    }

    /// The state of what was done automatically, in one phrase.
    fn done(&self) -> String {
        let actions = &self.facts.actions;
        if actions.is_empty() && self.facts.mitigated {
            return self.say("EDR が端末上で対処済みと報告", "Mitigated by the EDR on the endpoint").into();
        }
        if actions.is_empty() {
            return self.say("自動対処は実施していません", "No automatic response was carried out").into();
        }
        match self.language {
            Language::Ja => format!("自動対処{}件（{}）", actions.len(), self.states().join("、")),
            Language::En => format!("Automatic response: {}", self.states().join(", ")),
        }
    }

    fn done_sentence(&self) -> String {
        match self.language {
            Language::En if self.facts.actions.is_empty() && self.facts.mitigated => {
                "The EDR reports the threat as mitigated on the endpoint.".into()
            }
            Language::En => format!("{}.", self.done()),
            Language::Ja if !self.facts.actions.is_empty() => {
                format!("自動対処の状況は、{}です。", self.states().join("、"))
            }
            Language::Ja if self.facts.mitigated => "EDR は、端末上で対処済みと報告しています。".into(),
            Language::Ja => format!("{}。", self.done()),
        }
    }

    /// `完了を確認2件`, `実施できず1件`: how many actions are how far.
    fn states(&self) -> Vec<String> {
        let count = |wanted: fn(&State) -> bool| self.facts.actions.iter().filter(|a| wanted(&a.state)).count();
        [
            (count(|s| matches!(s, State::Verified { .. })), "完了を確認", "verified"),
            (count(State::is_running), "実行中・確認中", "in progress"),
            (count(|s| matches!(s, State::Refused { .. })), "実施できず", "could not be done"),
            (count(|s| matches!(s, State::Proposed)), "承認待ち", "waiting for approval"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, ja, en)| match self.language {
            Language::Ja => format!("{ja}{n}件"),
            Language::En => format!("{n} {en}"),
        })
        .collect()
    }

    /// What is asked by when; `ja` words a request in Japanese, shortly or politely.
    fn asked(&self, ja: fn(&Requested) -> String) -> String {
        let by = self.by();
        if self.facts.kind == Kind::Question {
            return match (self.language, by) {
                (Language::Ja, Some(by)) => format!("下記のご質問へのご回答（期限：{by}）"),
                (Language::Ja, None) => "下記のご質問へのご回答".into(),
                (Language::En, Some(by)) => format!("Answers to the questions below, by {by}"),
                (Language::En, None) => "Answers to the questions below".into(),
            };
        }
        match (self.language, &self.facts.request, by) {
            (_, None, _) => self.say("現時点ではございません", "Nothing at present").into(),
            (Language::Ja, Some(r), Some(by)) => {
                format!("【{}】{}（期限：{by}）", self.label_of(r.weight), ja(r))
            }
            (Language::Ja, Some(r), None) => format!("【{}】{}", self.label_of(r.weight), ja(r)),
            (Language::En, Some(r), Some(by)) => format!("{}, by {by}: {}", self.label_of(r.weight), r.text.en),
            (Language::En, Some(r), None) => format!("{}: {}", self.label_of(r.weight), r.text.en),
        }
    }

    /// A question has its own deadline, whatever else is asked.
    fn by(&self) -> Option<String> {
        let by = match self.facts.kind {
            Kind::Question => self.facts.next_update,
            _ => self.facts.request.and_then(|r| r.by),
        };
        by.map(|by| self.time(by))
    }

    fn label_of(&self, weight: Weight) -> &'static str {
        match weight {
            Weight::Must => self.say("必須", "Required"),
            Weight::Should => self.say("推奨", "Recommended"),
            Weight::Could => self.say("任意", "Optional"),
        }
    }
}

/// The forms of `practice.md` §3: 必須「〜くださいますようお願いいたします」, 推奨「〜を推奨いたします」, 任意「〜いただけますと幸いです」.
/// Somebody who is asked to tell something is asked, however binding it is.
fn politely(request: &Requested) -> String {
    let Some(stem) = request.text.ja.strip_suffix("ください") else { return request.text.ja.to_owned() };
    match request.weight {
        Weight::Must => format!("{stem}くださいますようお願いいたします"),
        Weight::Should if stem.ends_with("お知らせ") => format!("{stem}くださいますようお願いいたします"),
        Weight::Should => format!("{stem}いただくことを推奨いたします"),
        Weight::Could => format!("{stem}いただけますと幸いです"),
    }
}

/// A title inside an English sentence: `Malware that …` loses its capital, `DNS …` does not.
fn running(title: &str) -> String {
    let mut rest = title.chars();
    match (rest.next(), title.chars().nth(1)) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(rest).collect(),
        _ => title.to_owned(),
    }
}

fn count(n: u32, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
