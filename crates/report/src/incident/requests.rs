//! Section 11: what the customer is asked to do or to tell us, how binding it is, by when, and why.

use domain::action::State;
use domain::incident::Phase;
use domain::notice::{self, Channel, Requested};
use domain::question::{HOURS_TO_ANSWER, Question, STANDARD};
use domain::rules::{self, RuleId, Weight};
use domain::{Text, Timestamp, Verdict};
use jiff::SignedDuration;

use super::Case;
use crate::facts::{Block, Cell, Line, Section, cell, columns, row};
use crate::show::foreign;

/// One thing asked of the customer.
struct Asked {
    weight: Weight,
    what: String,
    by: Option<Timestamp>,
    why: Option<&'static str>,
}

impl Case<'_> {
    pub(super) fn requests_section(&self) -> Section {
        let say = self.say;
        let asked = self.requests();
        let mut blocks = Vec::new();
        if asked.is_empty() {
            blocks.push(Block::text(self.nothing_asked()));
        }
        for weight in [Weight::Must, Weight::Should, Weight::Could] {
            let group: Vec<&Asked> = asked.iter().filter(|a| a.weight == weight).collect();
            if !group.is_empty() {
                blocks.push(Block::text(self.lead(weight, &group)));
                blocks.push(self.requests_table(&group));
            }
        }
        if !asked.is_empty() {
            blocks.push(Block::note(self.how_to_answer()));
        }
        for question in self.incident.questions.values() {
            blocks
                .push(Block::heading(say.pick(format!("ご質問 {}", question.id), format!("Question {}", question.id))));
            blocks.extend(self.question_blocks(question));
        }
        Section::new("11", say.pick("お願い", "Requests"), blocks)
    }

    /// By the ways on which the customer hears from us.
    fn how_to_answer(&self) -> String {
        let (say, id) = (self.say, self.incident.id);
        let used = |channel| self.tenant.routes().any(|r| r.channel == channel);
        match (used(Channel::Mail), used(Channel::Slack)) {
            (true, false) => say.pick(
                format!("ご回答は、本件をお知らせしたメールへの返信でお願いいたします（件名の {id} はそのまま残してください）。"),
                format!("Please answer by replying to our mail about this incident, and leave {id} in the subject."),
            ),
            (false, true) => say.pick(
                "ご回答は、Slack の本件のスレッドでお願いいたします。".to_owned(),
                "Please answer in the Slack thread of this incident.".to_owned(),
            ),
            (true, true) => say.pick(
                format!("ご回答は、Slack の本件のスレッド、または本件をお知らせしたメールへの返信でお願いいたします（件名の {id} はそのまま残してください）。"),
                format!("Please answer in the Slack thread of this incident, or by replying to our mail with {id} left in the subject."),
            ),
            (false, false) => say.pick(
                format!("ご回答の際は、インシデント番号 {id} をお知らせください。"),
                format!("Please name the incident {id} when you answer."),
            ),
        }
    }

    /// For the summary: what is asked, of whom, by when, and when we write next.
    pub(super) fn asked(&self) -> Cell {
        let say = self.say;
        let mut lines: Cell = Vec::new();
        for asked in self.requests() {
            let weight = say.text(weight_word(asked.weight));
            let what = &asked.what;
            lines.push(Line::plain(say.pick(format!("【{weight}】{what}"), format!("{weight}: {what}"))));
            lines.push(match asked.by {
                Some(by) => {
                    let by = say.moment(by);
                    Line::strong(
                        say.pick(format!("ご担当：お客様　期限：{by}"), format!("Owner: customer. Deadline: {by}.")),
                    )
                }
                None => Line::small(say.pick("ご担当：お客様　期限：定めなし", "Owner: customer. No deadline is set.")),
            });
        }
        if lines.is_empty() {
            lines.push(Line::plain(self.nothing_asked()));
        }
        lines.extend(self.next_update().map(|at| {
            let at = say.moment(at);
            Line::small(say.pick(format!("次回のご連絡：{at}まで"), format!("Next message from us: by {at}")))
        }));
        lines
    }

    fn nothing_asked(&self) -> &'static str {
        self.say.pick("現時点でお願いする事項はありません。", "Nothing is asked of you now.")
    }

    /// In a closed incident, or one found to be a false positive, nothing more is asked.
    fn requests(&self) -> Vec<Asked> {
        let say = self.say;
        let incident = self.incident;
        if incident.phase == Phase::Closed || incident.verdict == Verdict::FalsePositive {
            return Vec::new();
        }
        let mut asked = Vec::new();
        let rule = incident.judgement.rule;
        let open = incident.open_question();
        // Only the customer knows: the request is the question itself, and an answer ends it.
        let is_the_question = incident.judgement.verdict == Verdict::Undetermined;
        let answered = open.is_none() && incident.questions.values().any(|q| q.answer.is_some());
        if let Some(request) = self.requested().filter(|_| !(is_the_question && answered)) {
            asked.push(Asked {
                weight: request.weight,
                what: say.text(request.text).to_owned(),
                by: request.by,
                why: why_asked(rule).map(|t| say.text(t)),
            });
        }
        if let Some(question) = open.filter(|_| !is_the_question) {
            let id = question.id;
            asked.push(Asked {
                weight: Weight::Must,
                what: say.pick(format!("ご質問 {id} にご回答ください"), format!("Answer question {id}")),
                by: Some(answer_due(question)),
                why: Some(say.pick(
                    "判定に必要な事実を、お客様だけがご存じのためです。",
                    "Only you hold the fact that the verdict turns on.",
                )),
            });
        }
        for action in incident.actions.values().filter(|a| a.state == State::Proposed) {
            let (id, kind, host) = (action.id, say.text(action.kind.text()), say.name(&action.target.endpoint));
            asked.push(Asked {
                weight: Weight::Must,
                what: say.pick(
                    format!("対処 {id}「{kind}」（端末{host}）の実施の可否をお知らせください"),
                    format!("Tell us whether action {id} ({kind}, {host}) may be carried out"),
                ),
                by: None,
                why: Some(say.pick(
                    "自動では実施できない対処で、ご判断が必要なためです。",
                    "It is not done automatically: people must decide.",
                )),
            });
        }
        asked
    }

    /// What the newest notice asks, so that a report never names another deadline; without a notice, what the rule asks.
    fn requested(&self) -> Option<Requested> {
        let incident = self.incident;
        match incident.notices.last_key_value() {
            Some((newest, _)) => notice::Facts::of(incident, self.tenant, *newest)?.request,
            None if incident.judgement.verdict == Verdict::Undetermined && incident.verdict_given.is_some() => None,
            None => {
                let request = rules::rule(incident.judgement.rule).request?;
                Some(Requested { weight: request.weight, text: request.text, by: None })
            }
        }
    }

    fn lead(&self, weight: Weight, group: &[&Asked]) -> String {
        let say = self.say;
        let earliest = group.iter().filter_map(|a| a.by).min().map(|at| say.moment(at));
        match (weight, earliest) {
            (Weight::Must, Some(by)) => {
                say.pick(format!("次のご対応をお願いいたします（期限：{by}）。"), format!("Required, by {by}:"))
            }
            (Weight::Must, None) => say
                .pick("次のご対応をお願いいたします（期限の定めはありません）。", "Required; no deadline is set:")
                .to_owned(),
            (Weight::Should, _) => say.pick("次のご対応を推奨いたします。", "Recommended:").to_owned(),
            (Weight::Could, _) => {
                say.pick("可能でしたら、次のご対応をいただけますと幸いです。", "Optional; it would help us:").to_owned()
            }
        }
    }

    fn requests_table(&self, group: &[&Asked]) -> Block {
        let say = self.say;
        let rows = group.iter().map(|a| {
            let by =
                a.by.map_or_else(|| cell(say.pick("定めなし", "none set")), |at| vec![Line::strong(say.second(at))]);
            vec![
                vec![Line::strong(say.text(weight_word(a.weight)))],
                cell(a.what.clone()),
                cell(say.pick("お客様", "Customer")),
                by,
                a.why.map_or_else(|| vec![Line::small(say.not_recorded())], |w| vec![Line::small(w)]),
            ]
        });
        Block::Table {
            columns: columns(&[
                (say.pick("区分", "Weight"), 21),
                (say.pick("内容", "What"), 50),
                (say.pick("担当", "Owner"), 17),
                (say.pick("期限（JST）", "Deadline (JST)"), 40),
                (say.pick("理由", "Why"), 44),
            ]),
            rows: rows.collect(),
        }
    }

    fn question_blocks(&self, question: &Question) -> Vec<Block> {
        let say = self.say;
        let mut items: Vec<String> = STANDARD.iter().map(|t| say.text(*t).to_owned()).collect();
        items.extend(question.addition.as_ref().map(foreign));
        let asked_by = question
            .by
            .as_ref()
            .map_or_else(|| say.not_recorded().to_owned(), |by| say.person(by, self.options.issuer));
        let asked_at = say.moment(question.asked_at);
        let mut rows = vec![
            row(
                say.pick("質問日時", "Asked"),
                cell(say.pick(format!("{asked_at}（{asked_by}）"), format!("{asked_at}, by {asked_by}"))),
            ),
            row(say.pick("回答期限", "Answer due"), cell(say.moment(answer_due(question)))),
        ];
        match &question.answer {
            None => rows
                .push(row(say.pick("回答", "Answer"), cell(say.pick("まだいただいていません。", "Not received yet.")))),
            Some(answer) => {
                let (at, by) = (say.moment(answer.at), say.person(&answer.recorded_by, self.options.issuer));
                rows.push(row(
                    say.pick("回答", "Answer"),
                    vec![
                        Line::strong(say.text(answer.meaning.text())),
                        Line::plain(foreign(&answer.words)),
                        Line::small(say.pick(format!("{at}、{by} が記録"), format!("recorded by {by}, {at}"))),
                    ],
                ));
            }
        }
        vec![Block::List { items }, Block::Rows { rows }]
    }
}

fn answer_due(question: &Question) -> Timestamp {
    question.asked_at + SignedDuration::from_hours(HOURS_TO_ANSWER)
}

fn weight_word(weight: Weight) -> Text {
    match weight {
        Weight::Must => Text::new("必須", "Required"),
        Weight::Should => Text::new("推奨", "Recommended"),
        Weight::Could => Text::new("任意", "Optional"),
    }
}

/// Why a rule's request is made. `None` for rules that ask for nothing.
fn why_asked(rule: RuleId) -> Option<Text> {
    use RuleId::{R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12, R22, R23, R25, R26};
    Some(match rule {
        R01 => Text::new(
            "電源を切ると、調査に必要なメモリ上の証拠が失われるためです。",
            "Switching it off destroys the evidence in memory that the investigation needs.",
        ),
        R02 => Text::new(
            "窃取された認証情報が、ほかの端末への侵入に使われるおそれがあるためです。",
            "Stolen credentials may be used to enter further endpoints.",
        ),
        R03 => Text::new(
            "端末上の連絡手段は、第三者に見られている可能性があるためです。",
            "Messages on the endpoint may be seen by whoever operates it.",
        ),
        R04 => Text::new(
            "サーバーの隔離は業務に影響するため、お客様のご判断が必要です。",
            "Taking a server off the network affects the business, so the decision is yours.",
        ),
        R22 => Text::new(
            "管理者の作業か攻撃かによって、対処がまったく異なるためです。",
            "An administrator's work and an attack call for quite different responses.",
        ),
        R25 => Text::new(
            "漏えいの影響と報告義務の要否を判断するためです。",
            "It decides how grave a leak would be and whether it must be reported.",
        ),
        R05 | R06 | R07 | R26 => Text::new(
            "侵入経路を特定し、再発と波及を防ぐためです。",
            "It shows how it came in, and so how to keep it from spreading or returning.",
        ),
        R08 => Text::new(
            "更新により、同じ脆弱性の悪用を防ぐことができるためです。",
            "The update closes the vulnerability against further use.",
        ),
        R09 => Text::new(
            "業務上の通信かどうかが、記録からは判断できないためです。",
            "The record does not show whether the contact has a business purpose.",
        ),
        R10 => Text::new(
            "不要なソフトウェアは、情報の流出や別の感染の原因となることがあるためです。",
            "Unwanted software can leak information or bring in something worse.",
        ),
        R11 | R12 | R23 => Text::new(
            "判定に必要な事実を、お客様だけがご存じのためです。",
            "Only you hold the fact that the verdict turns on.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_table_says_why_it_is_made() {
        for rule in rules::FLOOR {
            assert_eq!(rule.request.is_some(), why_asked(rule.id).is_some(), "{}", rule.id);
        }
    }
}
