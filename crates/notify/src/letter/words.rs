//! The wording, item by item, each in both languages (`practice.md` §3). English mirrors the fields, not the courtesies.
//!
//! Certainty is said in fixed words. There is no sentence here for a cause, an attacker or an all-clear, and none that
//! names another customer: what `Facts` does not hold cannot be said.

use domain::action::{Action, State};
use domain::notice::{Facts, Kind, Requested, TLP};
use domain::question::{HOURS_TO_ANSWER, STANDARD};
use domain::reason;
use domain::rules::{RuleId, Strength, Weight};
use domain::tenant::{Contact, Names};
use domain::{Language, Text, Timestamp, Verdict, action};

use super::{Item, Line, Medium};
use crate::Sender;
use crate::shown;

/// More contacts than this are addressed together.
const MAX_NAMED: usize = 4;
const MAX_ACTIONS: usize = 12;
const MAX_NOTES: usize = 3;

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
        let asked = match (self.language, self.facts.request.map(|r| r.weight), self.by()) {
            (Language::Ja, Some(Weight::Must), Some(by)) => {
                format!("下記のお願い事項につきまして、{by} までにご対応くださいますようお願いいたします。")
            }
            (Language::Ja, Some(Weight::Must), None) => {
                "下記のお願い事項につきまして、ご対応くださいますようお願いいたします。".into()
            }
            (Language::Ja, Some(_), _) => "下記の推奨事項につきまして、ご確認いただけますと幸いです。".into(),
            (Language::Ja, None, _) => "現時点で、お客様にお願いする事項はございません。".into(),
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
        let name = shown::one_line(self.facts.host, max);
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

    /// What it is about. R23 says only that no rule fits, which is no name for an event.
    fn what(&self) -> &'static str {
        if self.facts.rule == RuleId::R23 {
            return self.say("不審な活動", "Suspicious activity");
        }
        self.facts.what.in_language(self.language)
    }

    /// The same in brackets after a noun, or nothing.
    fn named(&self) -> String {
        match self.language {
            _ if self.facts.rule == RuleId::R23 => String::new(),
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
        shown::defang(&reason::sentence(self.facts.grounds, self.language))
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

    fn by(&self) -> Option<String> {
        let asked = self.facts.request.and_then(|r| r.by);
        let silent = self.facts.next_update.filter(|_| self.facts.kind == Kind::Question);
        asked.or(silent).map(|by| self.time(by))
    }

    fn label_of(&self, weight: Weight) -> &'static str {
        match weight {
            Weight::Must => self.say("必須", "Required"),
            Weight::Should => self.say("推奨", "Recommended"),
            Weight::Could => self.say("任意", "Optional"),
        }
    }

    // ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn incident(&self) -> Item {
        self.plain(Text::new("インシデント番号", "Incident"), self.facts.incident.to_string())
    }

    pub(super) fn priority(&self) -> Item {
        let priority = self.facts.priority;
        let line = format!("{} / {}", priority.name(), priority.severity().in_language(self.language));
        self.plain(Text::new("優先度・深刻度", "Priority, severity"), line)
    }

    pub(super) fn marking(&self) -> Item {
        self.plain(Text::new("取扱い（TLP）", "Marking (TLP)"), TLP.to_owned())
    }

    pub(super) fn endpoint(&self) -> Item {
        let hosts = self.hosts();
        let line = match (self.facts.user.map(|u| shown::account(u, 80)), self.language) {
            (Some(user), Language::Ja) => format!("{hosts}（利用者：{user}）"),
            (Some(user), Language::En) => format!("{hosts} (user: {user})"),
            (None, Language::Ja) => format!("{hosts}（利用者の記録なし）"),
            (None, Language::En) => format!("{hosts} (no user recorded)"),
        };
        self.plain(Text::new("対象端末・利用者", "Endpoint, user"), line)
    }

    pub(super) fn detected(&self) -> Item {
        self.plain(Text::new("検知日時", "Detected"), self.time(self.facts.detected_at))
    }

    pub(super) fn overview(&self) -> Item {
        let (title, alerts) = (shown::one_line(self.facts.title, 120), self.facts.alert_count);
        let line = match self.language {
            Language::Ja => format!("{}（検知名：{title}、アラート{alerts}件）", self.what()),
            Language::En => format!("{} (detection name: {title}; {})", self.what(), count(alerts, "alert")),
        };
        self.plain(Text::new("概要", "Summary"), line)
    }

    pub(super) fn judgement(&self) -> Item {
        let (first, grounds) = (self.stand(), self.grounds());
        let label = Text::new("判定と確度", "Verdict and certainty");
        match (self.facts.verdict, self.language) {
            (Verdict::Undetermined, Language::Ja) => self.plain(label, format!("{first}（理由：{grounds}）")),
            (Verdict::Undetermined, Language::En) => self.plain(label, format!("{first} because {grounds}")),
            (Verdict::FalsePositive, _) if self.facts.kind == Kind::Verdict => {
                self.item(label, vec![Line::Plain(first), Line::Plain(self.not_observed())])
            }
            // After the analysis it is the analyst's reason that counts.
            _ if self.facts.kind == Kind::Verdict => self.plain(label, first),
            _ => {
                let grounds = format!("{}{grounds}", self.say("根拠：", "Grounds: "));
                self.item(label, vec![Line::Plain(first), Line::Plain(grounds)])
            }
        }
    }

    pub(super) fn status(&self) -> Item {
        let mut lines = vec![if self.facts.mitigated {
            self.say(
                "検知した脅威について、EDR は端末上で対処済みと報告しています。",
                "The EDR reports the threat as mitigated on the endpoint.",
            )
        } else {
            self.say(
                "検知した脅威について、EDR から端末上での対処完了はまだ報告されていません。",
                "The EDR does not report the threat as mitigated on the endpoint yet.",
            )
        }];
        if self.facts.dfir {
            lines.push(self.say(
                "重大インシデントとしての対応（DFIR モード）に移行しています。",
                "We handle this as a grave incident (DFIR mode).",
            ));
        }
        let isolated = |a: &&&Action| a.kind == action::Kind::Isolate && matches!(a.state, State::Verified { .. });
        if self.facts.actions.iter().find(isolated).is_some() {
            lines.push(self.say(
                "隔離中の端末は業務のネットワーク通信ができません。解除はお客様とご相談のうえ実施します。",
                "An isolated endpoint cannot use the network until we reconnect it, in agreement with you.",
            ));
        }
        let lines = lines.into_iter().map(|l| Line::Plain(l.to_owned())).collect();
        self.item(Text::new("現在の状況", "Current state"), lines)
    }

    pub(super) fn actions(&self) -> Item {
        let label = match self.facts.kind {
            Kind::First | Kind::Question => Text::new("自動で実施した対処", "Automatic response"),
            Kind::Update => Text::new("自動対処の結果", "Results of the automatic response"),
            Kind::Verdict => Text::new("実施した対処", "What was done"),
        };
        let actions = &self.facts.actions;
        if actions.is_empty() {
            let none = match (self.facts.mitigated, self.language) {
                (true, Language::Ja) => "EDR が端末上で対処済みと報告しているため、当方からの追加の対処はありません。",
                (true, Language::En) => "Nothing beyond what the EDR did on the endpoint itself.",
                (false, Language::Ja) => "自動対処は実施していません。",
                (false, Language::En) => "None was carried out.",
            };
            return self.plain(label, none.to_owned());
        }
        let mut lines: Vec<Line> = actions.iter().take(MAX_ACTIONS).map(|a| Line::Point(self.action(a))).collect();
        let left_out = actions.len().saturating_sub(MAX_ACTIONS);
        if left_out > 0 {
            lines.push(Line::Plain(match self.language {
                Language::Ja => format!("ほか{left_out}件"),
                Language::En => format!("and {left_out} more"),
            }));
        }
        self.item(label, lines)
    }

    /// `端末のネットワーク隔離（WS-17）：実施・結果確認済み（2026-11-24 09:16 JST）`.
    fn action(&self, action: &Action) -> String {
        let (kind, state) =
            (action.kind.text().in_language(self.language), action.state.text().in_language(self.language));
        let endpoint = shown::one_line(&action.target.endpoint, 40);
        let detail = match &action.state {
            State::Verified { .. } => action.settled_at.map(|at| self.time(at)),
            State::Refused { why } => Some(self.because(&shown::one_line(why, 120))),
            State::Proposed => Some(self.because(&shown::defang(&reason::sentence(&action.grounds, self.language)))),
            _ => None,
        };
        match (self.language, detail) {
            (Language::Ja, Some(detail)) => format!("{kind}（{endpoint}）：{state}（{detail}）"),
            (Language::Ja, None) => format!("{kind}（{endpoint}）：{state}"),
            (Language::En, Some(detail)) => format!("{kind} ({endpoint}): {state}, {detail}"),
            (Language::En, None) => format!("{kind} ({endpoint}): {state}"),
        }
    }

    fn because(&self, why: &str) -> String {
        format!("{}{why}", self.say("理由：", "because: "))
    }

    pub(super) fn requests(&self) -> Item {
        self.plain(
            Text::new("お願い", "What we ask of you"),
            format!("{}{}", self.asked(politely), self.say("。", ".")),
        )
    }

    pub(super) fn questions(&self) -> Item {
        let questions =
            STANDARD.iter().enumerate().map(|(i, q)| Line::Numbered(i + 1, q.in_language(self.language).to_owned()));
        self.item(Text::new("ご質問", "Questions"), questions.collect())
    }

    /// What the analyst added, as the next question.
    pub(super) fn addition(&self) -> Item {
        let lines = self.facts.question_addition.map(shown::lines).unwrap_or_default();
        let label = Text::new("追加のご質問（分析担当者）", "The analyst's question");
        self.item(label, lines.into_iter().map(Line::Quoted).collect())
    }

    pub(super) fn deadline(&self) -> Item {
        let Some(by) = self.by() else {
            return self.item(Text::new("ご回答の方法", "How to answer"), vec![Line::Plain(self.answer().to_owned())]);
        };
        let line = match self.language {
            Language::Ja => format!("{by} まで（送付から{HOURS_TO_ANSWER}時間）。{}", self.answer()),
            Language::En => format!("By {by}, {HOURS_TO_ANSWER} hours from this message. {}", self.answer()),
        };
        self.plain(Text::new("ご回答の期限と方法", "Deadline and form"), line)
    }

    fn answer(&self) -> &'static str {
        match self.medium {
            Medium::Mail => self.say(
                "件名を変えずに、本メールへご返信ください。一部のご回答だけでもお送りください。",
                "Reply to this mail and keep the subject; part of an answer is welcome too.",
            ),
            Medium::Chat => self.say(
                "このスレッドにご返信ください。一部のご回答だけでもお送りください。",
                "Reply in this thread; part of an answer is welcome too.",
            ),
        }
    }

    pub(super) fn silence(&self) -> Item {
        let suspicious = Verdict::Suspicious.text().in_language(self.language);
        let verdict = match (self.facts.verdict, self.language) {
            (Verdict::Undetermined, Language::Ja) => {
                format!("期限までにご回答がない場合、本件の判定を「{suspicious}」とします。")
            }
            (Verdict::Undetermined, Language::En) => {
                format!("Without an answer by then, the verdict becomes “{}”.", suspicious.to_lowercase())
            }
            (_, Language::Ja) => format!("期限までにご回答がない場合、現在の判定（{}）を維持します。", self.verdict()),
            (_, Language::En) => {
                format!("Without an answer by then, the present verdict ({}) stands.", self.verdict().to_lowercase())
            }
        };
        let rest = self.say(
            "隔離などの実施済みの対処は、そのまま継続します。期限を過ぎてからのご回答も承り、内容に応じて判定を見直します。",
            "Measures already taken, such as a quarantine, stay in place. A late answer is still welcome: \
             we then look at the verdict again.",
        );
        let lines = vec![Line::Point(verdict), Line::Point(rest.to_owned())];
        self.item(Text::new("ご回答がない場合の扱い", "If we do not hear from you"), lines)
    }

    pub(super) fn reason(&self) -> Item {
        let lines = self.facts.verdict_reason.map(shown::lines).unwrap_or_default();
        let label = Text::new("判定の理由（分析担当者）", "The analyst's reason");
        self.item(label, lines.into_iter().map(Line::Quoted).collect())
    }

    pub(super) fn notes(&self) -> Item {
        let newest = self.facts.notes.len().saturating_sub(MAX_NOTES);
        let lines = self.facts.notes.iter().skip(newest).flat_map(|n| shown::lines(n)).map(Line::Quoted).collect();
        self.item(Text::new("分析担当者からのお知らせ", "From the analyst"), lines)
    }

    pub(super) fn attachments(&self, attached: &[&str]) -> Item {
        let lines = attached.iter().map(|name| Line::Point((*name).to_owned())).collect();
        self.item(Text::new("添付", "Attached"), lines)
    }

    pub(super) fn next(&self) -> Item {
        let line = match (self.facts.kind, self.facts.next_update.map(|at| self.time(at)), self.language) {
            (Kind::Question, _, Language::Ja) => {
                "ご回答をいただき次第、または上記の期限の経過後にご連絡いたします。".into()
            }
            (Kind::Question, _, Language::En) => "When your answer arrives, or after the deadline above.".into(),
            (Kind::Verdict, _, Language::Ja) => {
                "本件の定期的なご連絡は以上です。新たな事実が判明した場合は、改めてご連絡いたします。".into()
            }
            (Kind::Verdict, _, Language::En) => {
                "This is the last scheduled message about this incident. We write again if new facts emerge.".into()
            }
            (_, Some(at), Language::Ja) => format!("{at} までにご連絡いたします。"),
            (_, Some(at), Language::En) => format!("By {at}."),
            (_, None, Language::Ja) => "状況に変化があり次第、ご連絡いたします。".into(),
            (_, None, Language::En) => "As soon as the situation changes.".into(),
        };
        self.plain(Text::new("次回連絡予定", "Next message"), line)
    }

    pub(super) fn contact(&self, sender: &Sender) -> Item {
        let reply = match self.medium {
            Medium::Mail => self.say(
                "本メールへご返信ください（件名のインシデント番号を残してください）。",
                "Reply to this mail and keep the incident number in the subject.",
            ),
            Medium::Chat => self.say("このスレッドにご返信ください。", "Reply in this thread."),
        };
        let mut lines = vec![Line::Plain(reply.to_owned())];
        if let Some(number) = &sender.telephone {
            lines.push(Line::Plain(match self.language {
                Language::Ja => format!("お急ぎの場合（24時間365日）：{}", number.as_str()),
                Language::En => format!("If it is urgent (24/365): {}", number.as_str()),
            }));
        }
        self.item(Text::new("問い合わせ先", "Contact"), lines)
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
