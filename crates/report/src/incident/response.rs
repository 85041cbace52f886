//! Section 10: what was done, by whom, on whose authority, with what proof, and how it is undone.

use domain::action::{Action, State};
use domain::alert::MitigationOutcome;
use domain::defang::defang;
use domain::incident::{Event, Recorded};

use super::{Case, words};
use crate::facts::{Block, Cell, Line, Section, cell, columns};
use crate::show::foreign;

/// Most actions and most mitigation steps listed one by one.
const MAX_LISTED: usize = 60;

impl Case<'_> {
    pub(super) fn response_section(&self) -> Section {
        let say = self.say;
        let mut blocks = vec![Block::heading(say.pick("当方で決定した対処", "Actions decided by us"))];
        blocks.extend(self.our_actions());
        blocks.push(Block::heading(say.pick("EDR が端末上で行った対処", "What the EDR did on the endpoint")));
        blocks.extend(self.edr_steps());
        Section::new("10", say.pick("実施済みの対処", "Actions"), blocks)
    }

    /// For the summary: each action of ours with its result, or what the sensor did alone.
    pub(super) fn done(&self) -> Cell {
        let say = self.say;
        let mut lines: Cell = self.incident.actions.values().take(4).map(|a| self.in_short(a)).collect();
        if let Some(more) = self.incident.actions.len().checked_sub(4).filter(|n| *n > 0) {
            lines.push(Line::small(
                say.pick(format!("ほか {more} 件（第10節）"), format!("and {more} more (section 10)")),
            ));
        }
        if !lines.is_empty() {
            return lines;
        }
        let by_edr = self.succeeded_on_endpoint();
        if by_edr.is_empty() {
            return cell(say.pick("実施した対処はありません。", "Nothing was done."));
        }
        let list = say.list(&by_edr);
        cell(say.pick(
            format!("EDR が端末上で自動的に実施しました（{list}）。当方による追加の対処はありません。"),
            format!("By the EDR on the endpoint: {list}. No further action by us."),
        ))
    }

    fn in_short(&self, action: &Action) -> Line {
        let say = self.say;
        let kind = say.text(action.kind.text());
        let one_of_many = self.incident.hosts.len() > 1;
        let host = say.name(&action.target.endpoint);
        let what = if one_of_many {
            say.pick(format!("{kind}（端末{host}）"), format!("{kind} ({host})"))
        } else {
            kind.to_owned()
        };
        let state = say.text(action.state.text());
        let at = action.settled_at.map(|at| say.second(at));
        let at = at.map_or_else(String::new, |at| format!(" {at}"));
        let text = say.pick(format!("{what}：{state}{at}"), format!("{what}: {state}{at}"));
        if matches!(action.state, State::Refused { .. }) { Line::alarm(text) } else { Line::plain(text) }
    }

    fn succeeded_on_endpoint(&self) -> Vec<String> {
        let mut done: Vec<String> = Vec::new();
        let steps = self.incident.alerts.iter().flat_map(|a| &a.mitigation.steps);
        for step in steps.filter(|s| s.outcome == MitigationOutcome::Success) {
            let word = self.say.text(words::mitigation_action(step.action)).to_owned();
            if !done.contains(&word) {
                done.push(word);
            }
        }
        done
    }

    fn our_actions(&self) -> Vec<Block> {
        let say = self.say;
        let actions = &self.incident.actions;
        if actions.is_empty() {
            return vec![Block::text(say.pick("決定した対処はありません。", "No action was decided."))];
        }
        let rows = actions.values().take(MAX_LISTED).map(|a| {
            vec![
                vec![Line::strong(a.id.to_string())],
                self.action_and_target(a),
                self.authority(a),
                self.result(a),
                cell(say.text(a.kind.undo())),
            ]
        });
        let table = Block::Table {
            columns: columns(&[
                (say.pick("番号", "No."), 11),
                (say.pick("対処・対象", "Action, target"), 40),
                (say.pick("権限と根拠", "Authority, grounds"), 44),
                (say.pick("結果と確認", "Result, proof"), 45),
                (say.pick("取り消し方法", "Undo"), 28),
            ]),
            rows: rows.collect(),
        };
        let more = actions.len().checked_sub(MAX_LISTED).filter(|n| *n > 0).map(|more| {
            Block::note(say.pick(
                format!("ほか {more} 件は記載を省略しています。"),
                format!("{more} further actions are not listed."),
            ))
        });
        [Some(table), more].into_iter().flatten().collect()
    }

    fn action_and_target(&self, action: &Action) -> Cell {
        let say = self.say;
        let class = say.text(action.target.class.text());
        let host = foreign(&action.target.endpoint);
        let mut lines = vec![
            Line::plain(say.text(action.kind.text())),
            Line::small(say.pick(format!("{host}（{class}）"), format!("{host} ({class})"))),
        ];
        let alert = action.target.alert.as_ref().and_then(|id| self.incident.alerts.iter().find(|a| a.id == *id));
        lines.extend(alert.map(|a| Line::small(defang(&a.name.short(60)))));
        lines
    }

    fn authority(&self, action: &Action) -> Cell {
        let say = self.say;
        let grounds = say.grounds(&action.grounds);
        let by = match action.state {
            State::Proposed => say.pick("未承認（判断待ち）", "Not approved yet"),
            _ => say.pick("事前許可による自動実行", "Automatic, authorised in advance"),
        };
        let rule = say.pick(format!("規則 {}", action.rule), format!("rule {}", action.rule));
        let approval = say.pick("承認番号：該当なし", "approval id: not applicable");
        vec![Line::plain(by), Line::small(format!("{rule}{}{grounds}", say.pick("：", ": "))), Line::small(approval)]
    }

    fn result(&self, action: &Action) -> Cell {
        let say = self.say;
        let state = say.text(action.state.text());
        let mut lines = vec![match action.state {
            State::Verified { .. } => Line::strong(state),
            State::Refused { .. } | State::Unknown { .. } => Line::alarm(state),
            _ => Line::plain(state),
        }];
        if let State::Refused { why } | State::Unknown { why } = &action.state {
            lines.push(Line::small(defang(&why.short(160))));
        }
        let at = |label: &str, at| Line::small(format!("{label} {}", say.second(at)));
        lines.extend(action.sent_at.map(|t| at(say.pick("送信", "sent"), t)));
        lines.extend(action.settled_at.map(|t| at(say.pick("確認", "confirmed"), t)));
        if action.sends > 1 {
            lines.push(Line::small(say.pick(
                format!("送信 {} 回（応答が失われたため）", action.sends),
                format!("sent {} times: an answer was lost", action.sends),
            )));
        }
        lines
    }

    fn edr_steps(&self) -> Vec<Block> {
        let say = self.say;
        let all: Vec<_> = self
            .incident
            .alerts
            .iter()
            .flat_map(|alert| alert.mitigation.steps.iter().map(move |step| (alert, step)))
            .collect();
        if all.is_empty() {
            return vec![Block::text(say.pick("個々の対処の記録はありません。", "No single steps are on record."))];
        }
        let rows = all.iter().take(MAX_LISTED).map(|(alert, step)| {
            let outcome = say.begin(say.text(words::mitigation_outcome(step.outcome)));
            let outcome = match step.outcome {
                MitigationOutcome::Failed | MitigationOutcome::Partial => Line::alarm(outcome),
                _ => Line::plain(outcome),
            };
            vec![
                cell(say.text(words::mitigation_action(step.action))),
                cell(foreign(&alert.endpoint.name)),
                vec![outcome],
                step.at.map_or_else(|| vec![Line::small(say.not_recorded())], |at| cell(say.second(at))),
            ]
        });
        let table = Block::Table {
            columns: columns(&[
                (say.pick("対処", "Step"), 50),
                (say.pick("端末", "Endpoint"), 45),
                (say.pick("結果", "Result"), 37),
                (say.pick("時刻（JST）", "Time (JST)"), 40),
            ]),
            rows: rows.collect(),
        };
        let more = all.len().checked_sub(MAX_LISTED).filter(|n| *n > 0).map(|more| {
            Block::note(say.pick(
                format!("ほか {more} 件は記載を省略しています。"),
                format!("{more} further steps are not listed."),
            ))
        });
        [Some(table), more].into_iter().flatten().collect()
    }

    /// When the console was told our verdict, for the appendix.
    pub(super) fn console_told(&self) -> Option<&Recorded> {
        use domain::incident::ConsoleWrite;
        self.events
            .iter()
            .rev()
            .find(|r| matches!(r.event, Event::ConsoleUpdated { write: ConsoleWrite::Verdict(_), .. }))
    }
}
