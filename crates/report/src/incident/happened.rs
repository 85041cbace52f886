//! Each event of an incident as one plain statement. The match is complete, so a new event does not compile without words.
//!
//! What stays inside the SOC (internal notes, faults of our own jobs) is told as having happened, never with its text.

use domain::alert::Alert;
use domain::clock::{Exclusion, Targets};
use domain::defang::defang;
use domain::evidence::Evidence;
use domain::incident::{Actor, ConsoleWrite, Event, Visibility};
use domain::notice::Notice;
use domain::oncall::{Page, Why};
use domain::rules;
use domain::{ActionId, NoticeId};

use super::{Case, words};
use crate::facts::{Cell, Line};
use crate::show::foreign;

impl Case<'_> {
    pub(super) fn actor(&self, actor: &Actor) -> String {
        let say = self.say;
        match actor {
            Actor::Intake => say.pick("受信（自動）", "Intake (automatic)").to_owned(),
            Actor::RuleFloor => say.pick("判定規則（自動）", "Rules (automatic)").to_owned(),
            Actor::Actuator => say.pick("対処実行（自動）", "Actuator (automatic)").to_owned(),
            Actor::Notifier => say.pick("通知（自動）", "Notifier (automatic)").to_owned(),
            Actor::Timekeeper => say.pick("期限管理（自動）", "Timekeeper (automatic)").to_owned(),
            Actor::Investigator => say.pick("調査（自動）", "Investigator (automatic)").to_owned(),
            Actor::Person(id) => say.person(id, self.options.issuer),
        }
    }

    /// What happened, and below it in small print on what grounds or with what result.
    pub(super) fn happened(&self, event: &Event) -> Cell {
        let (what, detail) = self.statement(event);
        [Some(Line::plain(what)), detail.filter(|d| !d.is_empty()).map(Line::small)].into_iter().flatten().collect()
    }

    fn statement(&self, event: &Event) -> (String, Option<String>) {
        let say = self.say;
        let said = |ja: &str, en: &str| (say.pick(ja, en).to_owned(), None);
        match event {
            Event::Received { alert, grounds, refers_to, .. } => {
                let from = refers_to
                    .map(|id| say.pick(format!("{id} を参照。"), format!("Refers to {id}. ")))
                    .unwrap_or_default();
                let detail = format!("{from}{}", say.grounds(grounds));
                (
                    self.alert_statement(
                        alert,
                        "検知を受信し、本インシデントを開始",
                        "Alert received, incident opened",
                    ),
                    Some(detail),
                )
            }
            Event::AlertJoined { alert, grounds, rule, .. } => {
                let title = say.text(rules::rule(*rule).title);
                let why = say.pick(format!("{rule} {title}。"), format!("{rule} {title}. "));
                let detail = format!("{why}{}", say.grounds(grounds));
                (
                    self.alert_statement(
                        alert,
                        "関連する検知を本インシデントに追加",
                        "Related alert joined to this incident",
                    ),
                    Some(detail),
                )
            }
            Event::AlertChanged { alert } => {
                let state = say.text(alert.mitigation.state.text());
                let detail = say.pick(format!("端末上の状態：{state}"), format!("State on the endpoint: {state}"));
                (
                    self.alert_statement(alert, "検知の記録が管理コンソールで更新", "Alert changed on the console"),
                    Some(detail),
                )
            }
            Event::Judged { judgement } => {
                let (rule, title) = (judgement.rule, say.text(rules::rule(judgement.rule).title));
                let (verdict, priority) = (say.text(judgement.verdict.text()), judgement.priority.name());
                let what = say.pick(
                    format!("規則 {rule}「{title}」により、判定「{verdict}」、優先度 {priority} と評価"),
                    format!("Rule {rule} ({title}): verdict “{verdict}”, priority {priority}"),
                );
                (what, None)
            }
            Event::PriorityRaised { priority, reason } => {
                let priority = priority.name();
                (
                    say.pick(
                        format!("責任者が優先度を {priority} に引き上げ"),
                        format!("A lead raised the priority to {priority}"),
                    ),
                    Some(foreign(reason)),
                )
            }
            Event::ClocksStarted { targets, .. } => {
                (say.pick("対応目標の計時を開始", "Target clocks started").to_owned(), Some(self.due(*targets)))
            }
            Event::TargetsMoved { targets, .. } => {
                (say.pick("対応目標の時刻を変更", "Targets moved").to_owned(), Some(self.due(*targets)))
            }
            Event::ClocksPaused { why, from } => {
                let (why, from) = (say.text(why.text()), say.second(*from));
                (
                    say.pick(format!("計時を一時停止（{why}）"), format!("Target clocks paused: {why}")),
                    Some(say.pick(format!("{from} から"), format!("from {from}"))),
                )
            }
            Event::ClocksResumed { why, targets } => {
                let why = say.text(why.text());
                (
                    say.pick(format!("計時を再開（{why}の終了）"), format!("Target clocks resumed (no longer {why})")),
                    targets.map(|t| self.due(Some(t))),
                )
            }
            Event::ClocksExcluded { exclusion: Exclusion::FirstScanStorm { site, alerts, threshold } } => {
                let site = say.name(site);
                (
                    say.pick("対応目標の対象外に変更", "Not counted against the service levels").to_owned(),
                    Some(say.pick(
                        format!("導入時の初回フルディスクスキャンによる大量検知：サイト{site}、1時間に{alerts}件（契約上の基準{threshold}件）"),
                        format!("alert storm of the first full-disk scan: site {site}, {alerts} alerts within an hour (threshold {threshold})"),
                    )),
                )
            }
            Event::DfirDeclared => said("重大事案対応（DFIRモード）を開始", "DFIR mode begun"),
            Event::ActionDecided { action } => {
                let state = say.text(action.state.text());
                let what = self.action_name(action.id);
                let detail = say.pick(
                    format!("{state}。{}", say.grounds(&action.grounds)),
                    format!("{state}. {}", say.grounds(&action.grounds)),
                );
                (say.pick(format!("対処 {what}を決定"), format!("Action decided: {what}")), Some(detail))
            }
            Event::ActionIntended { action } => {
                (self.action_said(*action, "の実行を記録（送信前）", "about to be sent"), None)
            }
            Event::ActionSent { action, at } => {
                let detail = say.pick(format!("送信時刻 {}", say.second(*at)), format!("sent at {}", say.second(*at)));
                (self.action_said(*action, "を管理コンソールへ送信", "sent to the console"), Some(detail))
            }
            Event::ActionAccepted { action } => {
                (self.action_said(*action, "を管理コンソールが受付", "accepted by the console"), None)
            }
            Event::ActionAnswerLost { action, why } => (
                self.action_said(*action, "の応答が得られず、結果を確認中", "answer lost, being verified"),
                Some(defang(&why.short(200))),
            ),
            Event::ActionVerified { action, how } => {
                let detail = say.text(domain::action::State::Verified { how: *how }.text()).to_owned();
                (self.action_said(*action, "の結果を確認", "result verified"), Some(detail))
            }
            Event::ActionRefused { action, why } => {
                (self.action_said(*action, "は実施できず", "could not be done"), Some(defang(&why.short(200))))
            }
            Event::NoticeDecided { notice } => {
                let next = notice.next_update.map(|at| {
                    say.pick(
                        format!("次回連絡の予定 {}", say.second(at)),
                        format!("next message promised by {}", say.second(at)),
                    )
                });
                (
                    say.pick(
                        format!("{}の送信を決定", self.notice_name(notice)),
                        format!("{} to be sent", self.notice_name(notice)),
                    ),
                    next,
                )
            }
            Event::NoticeAccepted { notice, route, accepted_at, .. } => {
                let (name, way) = (self.notice_by_id(*notice), self.route_name(*route));
                let at = say.second(*accepted_at);
                (
                    say.pick(format!("{name}（{way}）を送信"), format!("{name} ({way}) accepted by the channel")),
                    Some(say.pick(format!("受付時刻 {at}"), format!("at {at}"))),
                )
            }
            Event::NoticeFailed { notice, route, why } => {
                let (name, way) = (self.notice_by_id(*notice), self.route_name(*route));
                (
                    say.pick(format!("{name}（{way}）の送信に失敗"), format!("{name} ({way}) could not be delivered")),
                    Some(defang(&why.short(200))),
                )
            }
            Event::NoticeNotConfirmed { notice } => {
                let name = self.notice_by_id(*notice);
                (
                    say.pick(
                        format!("{name}の到達を2分以内に確認できず、担当者が電話でご連絡"),
                        format!("{name} not confirmed by any channel within two minutes; a person was asked to call"),
                    ),
                    None,
                )
            }
            Event::Paged { page } => (self.paged(page), None),
            Event::PageAccepted { page, .. } => {
                (say.pick(format!("呼び出し {page} を送信"), format!("Call {page} sent")), None)
            }
            Event::PageFailed { page, .. } => {
                (say.pick(format!("呼び出し {page} を送信できず"), format!("Call {page} could not be sent")), None)
            }
            Event::ConsoleUpdated { write, alerts } => {
                let what = self.console_write(write);
                (
                    say.pick(format!("管理コンソールに{what}を登録"), format!("Console updated: {what}")),
                    Some(say.pick(format!("対象の検知 {alerts} 件"), format!("alerts concerned: {alerts}"))),
                )
            }
            Event::Acknowledged => said("分析担当者が受領", "Acknowledged by an analyst"),
            Event::Assigned { to } => {
                let who = say.person(to, self.options.issuer);
                (say.pick(format!("担当者を {who} に決定"), format!("Assigned to {who}")), None)
            }
            Event::NoteAdded { visibility: Visibility::Internal, .. } => {
                said("分析担当者が作業記録を追加", "An analyst added a working note")
            }
            Event::NoteAdded { visibility: Visibility::Customer, text } => {
                (say.pick("お客様への連絡事項を追加", "Note for the customer").to_owned(), Some(foreign(text)))
            }
            Event::QuestionAsked { question } => (
                say.pick(
                    format!("お客様に質問 {}", question.id),
                    format!("Question {} put to the customer", question.id),
                ),
                question.addition.as_ref().map(foreign),
            ),
            Event::QuestionReminded { question, hours } => (
                say.pick(
                    format!("質問 {question} のご回答を再度お願い（{hours}時間経過）"),
                    format!("Customer reminded of {question} after {hours} hours"),
                ),
                None,
            ),
            Event::AnswerOverdue { question, verdict } => {
                let hours = domain::question::HOURS_TO_ANSWER;
                let verdict = verdict.map(|v| say.text(v.text()));
                (
                    say.pick(
                        format!("質問 {question} のご回答期限（{hours}時間）を経過"),
                        format!("No answer to {question} within {hours} hours"),
                    ),
                    verdict.map(|v| say.pick(format!("判定を「{v}」に変更"), format!("the verdict becomes “{v}”"))),
                )
            }
            Event::AnalysisPresented { text } => {
                (say.pick("分析状況をご報告", "Analysis so far presented").to_owned(), Some(foreign(text)))
            }
            Event::AnswerRecorded { question, answer } => {
                let meaning = say.text(answer.meaning.text());
                (
                    say.pick(
                        format!("質問 {question} へのお客様の回答を記録：{meaning}"),
                        format!("Customer's answer to {question} recorded: {meaning}"),
                    ),
                    Some(foreign(&answer.words)),
                )
            }
            Event::VerdictGiven { verdict, reason } => {
                let verdict = say.text(verdict.text());
                (
                    say.pick(format!("分析担当者が「{verdict}」と判定"), format!("Analyst's verdict: {verdict}")),
                    Some(foreign(reason)),
                )
            }
            Event::Closed => said("インシデントを終了", "Incident closed"),
            Event::Reopened { rule, grounds, reason } => {
                let rule = rule.map(|r| format!("{r} {}", say.text(rules::rule(r).title)));
                let parts: Vec<String> = [rule, Some(say.grounds(grounds)), reason.as_ref().map(foreign)]
                    .into_iter()
                    .flatten()
                    .filter(|p| !p.is_empty())
                    .collect();
                (say.pick("インシデントを再開", "Incident reopened").to_owned(), Some(parts.join(say.pick("。", ". "))))
            }
            Event::EvidenceGathered { evidence } => self.gathered(evidence),
            Event::InquiryRepeated { inquiry } => {
                let what = say.text(inquiry.text());
                (say.pick(format!("再照会：{what}"), format!("Asked again: {what}")), None)
            }
            Event::JobGaveUp { .. } => said(
                "自動処理の一つが完了できず、担当者に引き継ぎ",
                "An automatic step could not be completed and was handed to a person",
            ),
        }
    }

    /// A gap stands in the timeline as plainly as a find.
    fn gathered(&self, evidence: &Evidence) -> (String, Option<String>) {
        let (say, answer) = (self.say, &evidence.answer);
        let what = say.text(answer.inquiry.text());
        let said = say.pick(format!("証拠 {} 取得：{what}", evidence.id), format!("Evidence {}: {what}", evidence.id));
        (said, Some(answer.outcome.summary(say.0)))
    }

    fn due(&self, targets: Option<Targets>) -> String {
        let say = self.say;
        let Some(targets) = targets else {
            return say.pick("目標時刻は設定されていません。", "No targets were set.").to_owned();
        };
        let (first, analysis) = (say.second(targets.first_response), say.second(targets.analysis));
        say.pick(
            format!("目標：初動 {first}、分析 {analysis}。"),
            format!("Targets: first response {first}, analysis {analysis}."),
        )
    }

    /// Whom we call inside the SOC is no business of the customer; that we did is.
    fn paged(&self, page: &Page) -> String {
        let step = self.say.text(page.step.text());
        let why = match page.why {
            Why::NotAcknowledged => self.say.pick("未受領のため", "not acknowledged yet"),
            Why::CustomerNotReached(_) => self.say.pick("お客様への到達を確認できないため", "customer not reached"),
        };
        self.say.pick(format!("{why}、{step}を呼び出し"), format!("{step} called: {why}"))
    }

    fn alert_statement(&self, alert: &Alert, ja: &str, en: &str) -> String {
        let (name, host) = (self.say.name(&alert.name), self.say.name(&alert.endpoint.name));
        self.say.pick(format!("{ja}（端末{host}、{name}）"), format!("{en}: {name} on {host}"))
    }

    /// `A1 プロセスの強制終了（「WS-017」）`; the bare id when the action is not on record.
    fn action_name(&self, id: ActionId) -> String {
        let say = self.say;
        let Some(action) = self.incident.actions.get(&id) else { return id.to_string() };
        let (kind, host) = (say.text(action.kind.text()), say.name(&action.target.endpoint));
        say.pick(format!("{id} {kind}（{host}）"), format!("{id} {kind} ({host})"))
    }

    fn action_said(&self, id: ActionId, ja: &str, en: &str) -> String {
        let name = self.action_name(id);
        self.say.pick(format!("対処 {name}{ja}"), format!("Action {name}: {en}"))
    }

    fn notice_by_id(&self, id: NoticeId) -> String {
        self.incident.notices.get(&id).map_or_else(|| id.to_string(), |n| self.notice_name(n))
    }

    fn notice_name(&self, notice: &Notice) -> String {
        let kind = self.say.text(notice.kind.text());
        self.say.pick(format!("{}「{kind}」", notice.id), format!("{} “{kind}”", notice.id))
    }

    fn route_name(&self, route: domain::notice::Route) -> String {
        let language = match route.language {
            domain::Language::Ja => self.say.pick("日本語", "Japanese"),
            domain::Language::En => self.say.pick("英語", "English"),
        };
        format!("{}{}{language}", self.say.text(route.channel.text()), self.say.pick("・", ", "))
    }

    fn console_write(&self, write: &ConsoleWrite) -> String {
        let say = self.say;
        match write {
            ConsoleWrite::Status(status) => {
                let status = words::console_status(*status);
                say.pick(format!("状況「{}」", status.ja), format!("status “{}”", status.en))
            }
            ConsoleWrite::Verdict(verdict) => {
                let verdict = say.text(verdict.text());
                say.pick(format!("判定「{verdict}」"), format!("verdict “{verdict}”"))
            }
            ConsoleWrite::Note(number) => say.pick(format!("メモ {number}"), format!("note {number}")),
        }
    }
}
