//! Each event of an incident in plain words. The match is complete, so a new event does not compile without words.

use domain::action::State;
use domain::alert::Alert;
use domain::clock::{Exclusion, Targets};
use domain::incident::{Actor, ConsoleWrite, Event, Recorded, VerdictBy};
use domain::oncall::Why;
use domain::reason::{self, Ground};
use domain::{ActionId, NoticeId, PersonId, Text, Timestamp, rules};
use maud::{Markup, html};

use super::{Case, aside};
use crate::{show, words};

/// What an entry of the story is, for the eye and for the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Alert,
    Judgement,
    Response,
    Message,
    Work,
    /// What time brings about.
    Clock,
    Trouble,
    /// In between: sent, accepted, written to the console.
    Step,
}

impl Sort {
    pub(super) const ALL: [Self; 8] = [
        Self::Alert,
        Self::Judgement,
        Self::Response,
        Self::Message,
        Self::Work,
        Self::Clock,
        Self::Trouble,
        Self::Step,
    ];

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Judgement => "judgement",
            Self::Response => "response",
            Self::Message => "message",
            Self::Work => "work",
            Self::Clock => "clock",
            Self::Trouble => "fault",
            Self::Step => "step",
        }
    }

    pub(super) fn text(self) -> Text {
        match self {
            Self::Alert => Text::new("検知", "Alert"),
            Self::Judgement => Text::new("判定", "Judgement"),
            Self::Response => Text::new("対処", "Response"),
            Self::Message => Text::new("連絡", "Message"),
            Self::Work => Text::new("作業", "Work"),
            Self::Clock => Text::new("期限", "Clock"),
            Self::Trouble => Text::new("障害", "Trouble"),
            Self::Step => Text::new("途中経過", "Step"),
        }
    }
}

pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) sort: Sort,
    pub(super) by: String,
    pub(super) what: Markup,
    pub(super) detail: Option<Markup>,
}

impl Case<'_> {
    pub(super) fn happened(&self, recorded: &Recorded) -> Entry {
        let (sort, what, detail) = self.words(&recorded.event, recorded.at);
        Entry { at: recorded.at, sort, by: self.actor(&recorded.by), what, detail }
    }

    /// A person's name, or their sign-in name when they have left.
    pub(super) fn person(&self, id: &PersonId) -> String {
        self.people.get(id).map_or_else(|| id.to_string(), Clone::clone)
    }

    /// A person, or the agreed rule for silence.
    pub(super) fn decided_by(&self, by: &VerdictBy) -> String {
        match by {
            VerdictBy::Person(person) => self.person(person),
            VerdictBy::Silence(question) => {
                let hours = domain::question::HOURS_TO_ANSWER;
                self.say.pick(
                    format!("{question} に{hours}時間以内のご回答なし（自動）"),
                    format!("no answer to {question} within {hours} hours (automatic)"),
                )
            }
        }
    }

    pub(super) fn actor(&self, actor: &Actor) -> String {
        let say = self.say;
        match actor {
            Actor::Intake => say.pick("受信（自動）", "intake").into(),
            Actor::RuleFloor => say.pick("判定規則（自動）", "rules").into(),
            Actor::Actuator => say.pick("対処実行（自動）", "actuator").into(),
            Actor::Notifier => say.pick("通知（自動）", "notifier").into(),
            Actor::Timekeeper => say.pick("期限管理（自動）", "timekeeper").into(),
            Actor::Investigator => say.pick("調査（自動）", "investigator").into(),
            Actor::Person(id) => self.person(id),
        }
    }

    /// Times that an event carries are named only where they differ from when it was written down.
    fn words(&self, event: &Event, noted: Timestamp) -> (Sort, Markup, Option<Markup>) {
        let say = self.say;
        let said = |ja: &str, en: &str| html! { (say.pick(ja, en)) };
        let at_another_time = |at: Timestamp| (at.as_second() != noted.as_second()).then(|| show::second(at));
        match event {
            Event::Received { alert, refers_to, grounds, .. } => {
                let refers = refers_to.map(
                    |id| html! { (say.pick("参照：", "refers to ")) a href=(format!("/incidents/{id}")) { (id) } " " },
                );
                let detail = html! { @if let Some(refers) = refers { (refers) } (self.because(grounds)) };
                (
                    Sort::Alert,
                    html! { (said("アラートを受信", "Alert received")) " " (self.alert(alert)) },
                    some(detail),
                )
            }
            Event::AlertJoined { alert, rule, grounds, .. } => {
                let detail = html! { (rule) " " (say.text(rules::rule(*rule).title)) " · " (self.because(grounds)) };
                (
                    Sort::Alert,
                    html! { (said("関連するアラートを追加", "Related alert joined")) " " (self.alert(alert)) },
                    some(detail),
                )
            }
            Event::AlertChanged { alert } => {
                let detail =
                    html! { (said("端末上：", "on the endpoint: ")) (say.text(alert.mitigation.state.text())) };
                (
                    Sort::Step,
                    html! { (said("コンソールのアラートが更新", "Alert changed on the console")) " " (self.alert(alert)) },
                    some(detail),
                )
            }
            Event::Judged { judgement } => {
                let what = html! {
                    (judgement.rule) " " (say.text(rules::rule(judgement.rule).title)) " → "
                    b { (say.text(judgement.verdict.text())) } " · " b { (judgement.priority.name()) }
                };
                (Sort::Judgement, what, some(html! { (self.because(&judgement.grounds)) }))
            }
            Event::PriorityRaised { priority, reason } => (
                Sort::Judgement,
                html! { (said("優先度を引き上げ", "Priority raised to")) " " b { (priority.name()) } },
                some(html! { div.quote { (show::prose(reason)) } }),
            ),
            Event::ClocksStarted { targets, .. } => {
                (Sort::Clock, said("計時を開始", "Clocks started"), some(self.due(*targets)))
            }
            Event::TargetsMoved { targets, .. } => {
                (Sort::Clock, said("目標時刻を変更", "Targets moved"), some(self.due(*targets)))
            }
            Event::ClocksPaused { why, from } => {
                let what = html! { (said("計時を一時停止", "Clocks paused")) " · " (say.text(why.text())) };
                (Sort::Clock, what, at_another_time(*from))
            }
            Event::ClocksResumed { why, targets } => {
                let what = html! { (said("計時を再開", "Clocks resumed")) " · " (say.pick("終了：", "no longer ")) (say.text(why.text())) };
                (Sort::Clock, what, targets.map(|t| self.due(Some(t))))
            }
            Event::ClocksExcluded { exclusion: Exclusion::FirstScanStorm { site, alerts, threshold } } => {
                let what = said("対応目標の対象外に変更", "Not counted against the service levels");
                let detail = html! {
                    (said("初回フルディスクスキャンの大量検知：", "storm of the first full-disk scan: "))
                    (show::foreign(site, 60)) " · " (alerts) (said("件/時（基準 ", " alerts an hour (threshold ")) (threshold) (said("）", ")"))
                };
                (Sort::Clock, what, some(detail))
            }
            Event::DfirDeclared => (Sort::Judgement, said("DFIR モードを開始", "DFIR mode declared"), None),
            Event::ActionDecided { action } => {
                let what = html! { (self.action(action.id)) " " (said("を決定", "decided")) };
                let detail = html! { (say.text(action.state.text())) " · " (self.because(&action.grounds)) };
                (Sort::Response, what, some(detail))
            }
            Event::ActionIntended { action } => (
                Sort::Step,
                html! { (self.action(*action)) " " (said("の実行を記録（送信前）", "about to be sent")) },
                None,
            ),
            Event::ActionSent { action, at } => {
                let what = html! { (self.action(*action)) " " (said("をコンソールへ送信", "sent to the console")) };
                (Sort::Step, what, at_another_time(*at))
            }
            Event::ActionAccepted { action } => (
                Sort::Step,
                html! { (self.action(*action)) " " (said("をコンソールが受付", "accepted by the console")) },
                None,
            ),
            Event::ActionAnswerLost { action, why } => {
                let what = html! { (self.action(*action)) " " (said("の応答が得られず、確認中", "answer lost, being verified")) };
                (Sort::Response, what, some(show::foreign(why, 240)))
            }
            Event::ActionVerified { action, how } => {
                let what = html! { (self.action(*action)) " " b { (say.text(State::Verified { how: *how }.text())) } };
                (Sort::Response, what, None)
            }
            Event::ActionRefused { action, why } => {
                let what = html! { (self.action(*action)) " " b { (said("実施できず", "could not be done")) } };
                (Sort::Response, what, some(show::foreign(why, 240)))
            }
            Event::NoticeDecided { notice } => {
                let what = html! { (said("連絡を決定", "Message decided")) " " b { (say.text(notice.kind.text())) } " " (notice.id) };
                let next = notice
                    .next_update
                    .map(|at| html! { (said("次回の連絡 ", "next message by ")) (show::moment(at, self.now)) });
                (Sort::Message, what, next)
            }
            Event::NoticeAccepted { notice, route, accepted_at, .. } => {
                let what = html! {
                    (self.notice(*notice)) " " (say.text(route.channel.text())) " " (say.text(words::language(route.language))) " " (said("を送信（受付済み）", "accepted by the channel"))
                };
                (Sort::Message, what, at_another_time(*accepted_at))
            }
            Event::NoticeFailed { notice, route, why } => {
                let what = html! { (self.notice(*notice)) " " (say.text(route.channel.text())) " " (say.text(words::language(route.language))) " " b { (said("を送信できず", "could not be delivered")) } };
                (Sort::Message, what, some(show::foreign(why, 240)))
            }
            Event::NoticeNotConfirmed { notice } => {
                let what = html! { (self.notice(*notice)) " " b { (said("2分以内に到達を確認できず。お客様に電話で連絡", "not confirmed by any channel within 2 minutes: call the customer")) } };
                (Sort::Trouble, what, None)
            }
            Event::Paged { page } => {
                let what = html! { (said("呼び出し", "Call")) " " (page.id) " " b { (say.text(page.step.text())) } };
                let (sort, whom) = match &page.to {
                    Some(to) => (Sort::Clock, html! { (self.person(&to.person)) }),
                    None => (Sort::Trouble, said("当番表に該当者なし", "the roster names nobody for this hour")),
                };
                (sort, what, some(html! { (whom) " · " (self.why_paged(page.why)) }))
            }
            Event::PageAccepted { page, accepted_at, .. } => {
                (Sort::Step, html! { (said("呼び出しを送信", "Call sent")) " " (page) }, at_another_time(*accepted_at))
            }
            Event::PageFailed { page, why } => {
                let what = html! { (said("呼び出しを送信できず", "Call could not be sent")) " " (page) };
                (Sort::Trouble, what, some(show::foreign(why, 240)))
            }
            Event::ConsoleUpdated { write, alerts } => {
                let what = html! { (said("コンソールに反映", "Console updated")) " " (self.console_write(write)) };
                (Sort::Step, what, some(html! { (say.count((*alerts).into(), "件のアラート", "alert", "alerts")) }))
            }
            Event::Acknowledged => (Sort::Work, said("受領", "Acknowledged"), None),
            Event::Assigned { to } => {
                (Sort::Work, html! { (said("担当：", "Assigned to ")) b { (self.person(to)) } }, None)
            }
            Event::NoteAdded { visibility, text } => {
                let what = html! { (said("記録", "Note")) " " span.mark-visibility { (aside::visibility(*visibility, self)) } };
                (Sort::Work, what, some(html! { div.quote { (show::prose(text)) } }))
            }
            Event::QuestionAsked { question } => {
                let detail = question.addition.as_ref().map(|text| html! { div.quote { (show::prose(text)) } });
                (Sort::Work, html! { (said("お客様に質問", "Question to the customer")) " " (question.id) }, detail)
            }
            Event::QuestionReminded { question, hours } => (
                Sort::Clock,
                html! { (said("ご回答を再度お願い", "Customer reminded")) " " (question) " · " (say.count((*hours).into(), "時間経過", "hour", "hours")) },
                None,
            ),
            Event::AnswerOverdue { question, verdict } => {
                let what = html! { (said("ご回答の期限を経過", "No answer in time")) " " (question) };
                let then =
                    verdict.map(|v| html! { (said("判定：", "the verdict becomes ")) b { (say.text(v.text())) } });
                (Sort::Clock, what, then)
            }
            Event::AnalysisPresented { text } => {
                let what = said("分析状況を報告", "Analysis so far presented");
                (Sort::Message, what, some(html! { div.quote { (show::prose(text)) } }))
            }
            Event::AnswerRecorded { question, answer } => {
                let what = html! { (said("お客様の回答", "Customer's answer")) " " (question) " " b { (say.text(answer.meaning.text())) } };
                (Sort::Work, what, some(html! { div.quote { (show::prose(&answer.words)) } }))
            }
            Event::VerdictGiven { verdict, reason } => {
                let what =
                    html! { (said("分析担当者の判定", "Analyst's verdict")) " " b { (say.text(verdict.text())) } };
                (Sort::Judgement, what, some(html! { div.quote { (show::prose(reason)) } }))
            }
            Event::Closed => (Sort::Work, said("終了", "Closed"), None),
            Event::Reopened { rule, grounds, reason } => {
                let detail = html! {
                    @if let Some(rule) = rule { (rule) " " (say.text(rules::rule(*rule).title)) " " }
                    (self.because(grounds))
                    @if let Some(reason) = reason { div.quote { (show::prose(reason)) } }
                };
                (Sort::Work, said("再開", "Reopened"), some(detail))
            }
            Event::EvidenceGathered { evidence } => {
                let answer = &evidence.answer;
                let sort = if answer.is_gap() { Sort::Trouble } else { Sort::Work };
                let id = format!("/incidents/{}?tab=investigation#{}", self.incident.id, evidence.id);
                let what = html! { a href=(id) { (evidence.id) } " " (say.text(answer.inquiry.text())) };
                (sort, what, some(html! { (answer.outcome.summary(say.0)) }))
            }
            Event::InquiryRepeated { inquiry } => {
                (Sort::Work, html! { (say.pick("再照会：", "Asked again: ")) (say.text(inquiry.text())) }, None)
            }
            Event::JobGaveUp { what } => (
                Sort::Trouble,
                said("自動処理を完了できず、担当者の確認が必要", "A job gave up; somebody has to look"),
                some(show::foreign(what, 300)),
            ),
        }
    }

    fn due(&self, targets: Option<Targets>) -> Markup {
        html! {
            @match targets {
                Some(targets) => {
                    (self.say.pick("目標：初動 ", "Targets: response ")) (show::moment(targets.first_response, self.now))
                    (self.say.pick("、分析 ", ", analysis ")) (show::moment(targets.analysis, self.now))
                }
                None => { (self.say.pick("祝日表の範囲外のため目標時刻なし", "No targets: beyond the known holidays")) }
            }
        }
    }

    pub(super) fn why_paged(&self, why: Why) -> Markup {
        html! {
            @match why {
                Why::NotAcknowledged => { (self.say.pick("未受領", "not acknowledged")) }
                Why::CustomerNotReached(notice) => { (self.say.pick("お客様への到達未確認：", "customer not reached: ")) (notice) }
            }
        }
    }

    fn because(&self, grounds: &[Ground]) -> String {
        reason::sentence(grounds, self.say.0)
    }

    fn alert(&self, alert: &Alert) -> Markup {
        html! { b { (show::foreign(&alert.name, 80)) } " " (self.say.pick("端末", "on")) " " (show::foreign(&alert.endpoint.name, 40)) }
    }

    fn action(&self, id: ActionId) -> Markup {
        let action = self.incident.actions.get(&id);
        html! {
            (id) @if let Some(action) = action { " " (self.say.text(action.kind.text())) " (" (show::foreign(&action.target.endpoint, 40)) ")" }
        }
    }

    fn notice(&self, id: NoticeId) -> Markup {
        let kind = self.incident.notices.get(&id).map(|n| self.say.text(n.kind.text()));
        html! { @if let Some(kind) = kind { b { (kind) } " " } (id) }
    }

    fn console_write(&self, write: &ConsoleWrite) -> Markup {
        let say = self.say;
        html! {
            @match write {
                ConsoleWrite::Status(status) => { (say.pick("状態", "status")) " " b { (say.text(words::console_status(*status))) } }
                ConsoleWrite::Verdict(verdict) => { (say.pick("判定", "verdict")) " " b { (say.text(verdict.text())) } }
                ConsoleWrite::Note(n) => { (say.pick("メモ", "note")) " " (n) }
            }
        }
    }
}

/// `None` for markup that says nothing.
fn some(detail: Markup) -> Option<Markup> {
    Some(detail).filter(|d| !d.0.is_empty())
}
