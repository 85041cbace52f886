//! Section 3: the times that matter with their sources, the gaps between them, and every event in plain words.

use domain::Timestamp;
use domain::incident::{Event, Recorded};
use domain::notice::{Delivery, Kind};
use jiff::SignedDuration;

use super::Case;
use crate::facts::{Block, Cell, Line, Section, cell, columns};
use crate::show::utc;

/// Most events listed. The first and the last are kept, and what lies between is counted.
const MAX_FIRST: usize = 120;
const MAX_LAST: usize = 40;
/// A delay between two records from which a reader should notice it.
const GAP: SignedDuration = SignedDuration::from_secs(60);

/// One of T0 to T6.
struct Mark {
    name: &'static str,
    what: &'static str,
    at: Option<Timestamp>,
    source: &'static str,
}

impl Case<'_> {
    pub(super) fn timeline_section(&self) -> Section {
        let say = self.say;
        let mut blocks = vec![
            Block::heading(say.pick("主な時刻", "Key times")),
            self.marks_table(),
            Block::note(say.pick(
                "日本時間は UTC+09:00 です。T0 は端末上で最初に起きた時刻、T1 は EDR が検知した時刻です。",
                "JST is UTC+09:00. T0 is when it began on the endpoint, T1 when the EDR detected it.",
            )),
            Block::heading(say.pick("記録の空白と遅延", "Gaps and delays")),
        ];
        blocks.push(self.gaps());
        blocks.push(Block::heading(say.pick("経過", "Course of events")));
        blocks.extend(self.course());
        Section::new("3", say.pick("時系列", "Timeline"), blocks)
    }

    fn marks(&self) -> Vec<Mark> {
        let say = self.say;
        let first = self.incident.alerts.first();
        let endpoint = say.pick("端末のセンサー（EDR）", "sensor on the endpoint (EDR)");
        let console = say.pick("管理コンソール", "EDR console");
        let record = say.pick("当システムの記録", "record of this system");
        let channel = say.pick("通知の受付応答", "acceptance by the channel");
        let mark = |name, what, at, source| Mark { name, what, at, source };
        vec![
            mark("T0", say.pick("端末上での発生", "Began on the endpoint"), None, endpoint),
            mark("T1", say.pick("EDR による検知", "Detected by the EDR"), first.map(|a| a.detected_at), endpoint),
            mark(
                "–",
                say.pick("管理コンソールへの登録", "Recorded on the console"),
                first.map(|a| a.created_at),
                console,
            ),
            mark(
                "T2",
                say.pick("当システムでの受信", "Received by this system"),
                Some(self.incident.received_at),
                record,
            ),
            mark(
                "T3a",
                say.pick("第一報の送信（自動）", "First notice accepted (automatic)"),
                self.accepted(Kind::First),
                channel,
            ),
            mark(
                "T3b",
                say.pick("分析担当者による受領", "Acknowledged by an analyst"),
                self.incident.acknowledged.as_ref().map(|a| a.at),
                record,
            ),
            mark("T4", say.pick("分析結果の送信", "Analysis sent"), self.accepted(Kind::Verdict), channel),
            mark("T5", say.pick("対処の結果確認（最後）", "Last action verified"), self.last_verified(), console),
            mark("T6", say.pick("終了", "Closed"), self.closed_at(), record),
        ]
    }

    fn marks_table(&self) -> Block {
        let say = self.say;
        // While the incident is open, what is missing after its receipt may still come.
        let missing = |name: &str| {
            let may_come = name > "T2" && self.incident.phase.is_open();
            if may_come { say.pick("未到来", "Not yet") } else { say.not_recorded() }
        };
        let rows = self.marks().into_iter().map(|m| {
            vec![
                vec![Line::strong(m.name)],
                cell(m.what),
                m.at.map_or_else(|| vec![Line::small(missing(m.name))], |at| cell(say.second(at))),
                m.at.map_or_else(Vec::new, |at| vec![Line::small(utc(at))]),
                vec![Line::small(if m.at.is_some() { m.source } else { "" })],
            ]
        });
        Block::Table {
            columns: columns(&[
                (say.pick("区分", "Mark"), 12),
                (say.pick("事項", "What"), 45),
                (say.pick("日本時間（JST）", "JST"), 40),
                ("UTC", 40),
                (say.pick("出典", "Source"), 31),
            ]),
            rows: rows.collect(),
        }
    }

    /// When the first notice of a kind was accepted in any language.
    pub(super) fn accepted(&self, kind: Kind) -> Option<Timestamp> {
        self.incident.notices.values().filter(|n| n.kind == kind).find_map(|n| {
            let times = n.deliveries.values().filter_map(|d| match d {
                Delivery::Accepted { at, .. } => Some(*at),
                Delivery::Waiting | Delivery::Failed { .. } => None,
            });
            times.min()
        })
    }

    fn last_verified(&self) -> Option<Timestamp> {
        use domain::action::State;
        let verified = self.incident.actions.values().filter(|a| matches!(a.state, State::Verified { .. }));
        verified.filter_map(|a| a.settled_at).max()
    }

    pub(super) fn closed_at(&self) -> Option<Timestamp> {
        if self.incident.phase.is_open() {
            return None;
        }
        self.events.iter().rev().find(|r| matches!(r.event, Event::Closed)).map(|r| r.at)
    }

    /// T0 is never on record; delays between detection, console and us are named when a reader should notice them.
    fn gaps(&self) -> Block {
        let say = self.say;
        let mut items = vec![
            say.pick(
                "端末上で最初に起きた時刻（T0）は、検知の記録に含まれていません。",
                "When it began on the endpoint (T0) is not part of the detection's record.",
            )
            .to_owned(),
        ];
        if let Some(alert) = self.incident.alerts.first() {
            let steps = [
                (
                    alert.detected_at,
                    alert.created_at,
                    say.pick("検知から管理コンソールへの登録まで", "From detection to the console"),
                ),
                (
                    alert.created_at,
                    self.incident.received_at,
                    say.pick("管理コンソールへの登録から当システムでの受信まで", "From the console to this system"),
                ),
            ];
            for (from, to, what) in steps {
                let delay = to.duration_since(from);
                let span = say.span(delay);
                if delay >= GAP {
                    items.push(say.pick(format!("{what}、{span}を要しています。"), format!("{what}: {span}.")));
                } else if delay.is_negative() {
                    items.push(say.pick(
                        format!("{what}の時刻が {span}逆転しています。双方の時計の差の可能性があります。"),
                        format!("{what}: the later record is {span} earlier. The two clocks may differ."),
                    ));
                }
            }
        }
        let left_out =
            self.incident.alert_count as usize - self.incident.alerts.len().min(self.incident.alert_count as usize);
        if left_out > 0 {
            items.push(say.pick(
                format!("検知 {left_out} 件は件数のみを記録しており、本報告書には記載していません。"),
                format!("{left_out} detections are counted only and are not described in this report."),
            ));
        }
        Block::List { items }
    }

    fn course(&self) -> Vec<Block> {
        let say = self.say;
        let total = self.events.len();
        let skipped = total.saturating_sub(MAX_FIRST + MAX_LAST);
        let row = |recorded: &Recorded| -> Vec<Cell> {
            vec![cell(say.second(recorded.at)), cell(self.actor(&recorded.by)), self.happened(&recorded.event)]
        };
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        if skipped == 0 {
            rows.extend(self.events.iter().map(row));
        } else {
            rows.extend(self.events[..MAX_FIRST].iter().map(row));
            let note =
                say.pick(format!("（この間の記録 {skipped} 件を省略）"), format!("({skipped} events left out here)"));
            rows.push(vec![cell("…"), Vec::new(), vec![Line::small(note)]]);
            rows.extend(self.events[total - MAX_LAST..].iter().map(row));
        }
        vec![Block::Table {
            columns: columns(&[
                (say.pick("日本時間（JST）", "JST"), 40),
                (say.pick("主体", "Who"), 31),
                (say.pick("事項", "What"), 97),
            ]),
            rows,
        }]
    }
}
