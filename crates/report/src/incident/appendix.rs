//! Section 15: what lets a reader check the report: targets, calendar, hash of the record, use of models, terms.

use domain::Timestamp;
use domain::calendar::Hours;
use domain::clock::{Clocks, FirstResponse, Kind as Clock, State};
use domain::notice::TLP;
use sha2::{Digest, Sha256};

use super::Case;
use crate::PAP;
use crate::facts::{Block, Cell, Line, Row, Section, cell, columns, row};
use crate::show::utc;

impl Case<'_> {
    pub(super) fn appendix_section(&self) -> Section {
        let say = self.say;
        let blocks = vec![
            Block::heading(say.pick("対応目標と実績", "Targets and results")),
            self.targets(),
            Block::note(self.calendar()),
            Block::heading(say.pick("記録の照合", "Proof of the record")),
            Block::Rows { rows: self.manifest() },
            Block::heading(say.pick("AI モデルの使用", "Use of AI models")),
            Block::text(self.model_use()),
            Block::heading(say.pick("用語", "Terms")),
            Block::Rows { rows: self.terms() },
        ];
        Section::new("15", say.pick("付録", "Appendix"), blocks)
    }

    fn targets(&self) -> Block {
        let say = self.say;
        let Some(clocks) = self.incident.clocks.as_ref().filter(|c| c.targets.is_some()) else {
            return Block::text(say.pick("対応目標時刻は記録されていません。", "No targets are on record."));
        };
        let response = match clocks.terms.service_levels.first_response {
            FirstResponse::AnalystAck => {
                say.pick("初動（分析担当者の受領、T3b）", "First response (acknowledged, T3b)")
            }
            FirstResponse::AutoFirstNotice => {
                say.pick("初動（第一報の送信、T3a）", "First response (first notice, T3a)")
            }
        };
        let line = |what: &str, kind| {
            let due = clocks.due(kind).map_or_else(Cell::new, |due| cell(say.second(due)));
            vec![cell(what), due, self.time_or_none(clocks.stopped(kind)), self.attainment(clocks, kind)]
        };
        Block::Table {
            columns: columns(&[
                (say.pick("目標", "Target"), 60),
                (say.pick("目標時刻（JST）", "Due (JST)"), 40),
                (say.pick("実績（JST）", "Done (JST)"), 40),
                (say.pick("結果", "Result"), 36),
            ]),
            rows: vec![
                line(response, Clock::FirstResponse),
                line(say.pick("分析結果のご報告（T4）", "Analysis presented (T4)"), Clock::Analysis),
            ],
        }
    }

    fn time_or_none(&self, at: Option<Timestamp>) -> Cell {
        at.map_or_else(|| vec![Line::small(self.say.pick("未実施", "Not done yet"))], |at| cell(self.say.second(at)))
    }

    /// A target is a promise of effort: a miss is 目標超過, never a breach.
    fn attainment(&self, clocks: &Clocks, kind: Clock) -> Cell {
        let say = self.say;
        match clocks.state(kind, self.options.now) {
            State::Met => cell(say.pick("目標内", "On target")),
            State::Missed => vec![Line::alarm(say.pick("目標超過", "Target missed"))],
            State::Running => cell(say.pick("目標時刻前", "Not due yet")),
            State::Paused => cell(say.pick("一時停止中（お客様のご対応待ち）", "Paused, waiting for you")),
            State::Overdue => vec![Line::alarm(say.pick("目標超過（未実施）", "Target missed, not done yet"))],
            State::Excluded => cell(say.pick("対象外", "Not counted")),
            State::Unpromised => cell(say.pick("目標時刻なし", "No target")),
        }
    }

    /// On what the clocks counted, as pinned when they started.
    fn calendar(&self) -> String {
        let Some(clocks) = &self.incident.clocks else { return String::new() };
        let hours = match clocks.terms.service_levels.promise(clocks.gravest()).hours {
            Hours::Business => self.say.pick(
                "営業時間（月～金曜日 9:00～18:00 JST。国民の祝日・休日と当社休業日を除く）".to_owned(),
                "business hours, Monday to Friday 09:00-18:00 JST, less Japan's national holidays and our closed days"
                    .to_owned(),
            ),
            Hours::Always => self.say.pick("24時間365日".to_owned(), "around the clock".to_owned()),
            own @ Hours::Own(_) => self
                .say
                .pick(format!("契約で定めた時間帯（{own} JST）"), format!("the hours of the contract ({own} JST)")),
        };
        let closed = clocks.terms.calendar.closed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let table = &clocks.terms.calendar.table;
        self.say.pick(
            format!("時刻の計算：{hours}。起点は当システムでの受信（T2）です。暦：内閣府の祝日表（{table} 版）、当社休業日 {closed}。"),
            format!("Clock: {hours}. It starts at receipt (T2). Calendar: the Cabinet Office's holidays as of {table}, closed days {closed}."),
        )
    }

    fn manifest(&self) -> Vec<Row> {
        let say = self.say;
        let count = self.events.len();
        let console =
            self.console_told().map_or_else(
                || vec![Line::small(say.not_recorded())],
                |r| {
                    cell(say.pick(
                        format!("登録済み（{}）", say.second(r.at)),
                        format!("written back ({})", say.second(r.at)),
                    ))
                },
            );
        let mut rows = vec![
            row(
                say.pick("基にした記録", "Record used"),
                cell(say.pick(
                    format!("インシデントの記録 {count} 件、検知の記録 {} 件", self.incident.alerts.len()),
                    format!("events: {count}, alerts: {}", self.incident.alerts.len()),
                )),
            ),
            row(
                say.pick("SHA-256", "SHA-256"),
                vec![
                    Line::code(self.record_hash()),
                    Line::small(say.pick("記録を順に JSON で表したものの値です。", "Of the events in order, as JSON.")),
                ],
            ),
            row(
                say.pick("作成時刻", "Made at"),
                cell(format!("{} JST / {}", say.second(self.options.now), utc(self.options.now))),
            ),
            row(say.pick("コンソールへの判定登録", "Verdict on the console"), console),
        ];
        if let Some(id) = self.incident.refers_to {
            rows.push(row(say.pick("参照するインシデント", "Refers to"), cell(id.to_string())));
        }
        rows
    }

    /// SHA-256 over the events as stored, each as one line of JSON.
    fn record_hash(&self) -> String {
        let mut hash = Sha256::new();
        for recorded in self.events {
            // Events are plain data: they always have a JSON form.
            hash.update(serde_json::to_vec(recorded).unwrap_or_default());
            hash.update(b"\n");
        }
        hex::encode(hash.finalize())
    }

    fn model_use(&self) -> &'static str {
        if self.incident.verdict_given.is_some() {
            self.say.pick(
                "本件の判定と本報告書の作成に、生成 AI などの AI モデルは使用していません。判定は、記載の規則と分析担当者によるものです。",
                "No AI model took part in this verdict or in this report. The verdict is that of the rules named and of an analyst.",
            )
        } else {
            self.say.pick(
                "本件の判定と本報告書の作成に、生成 AI などの AI モデルは使用していません。判定は、記載の規則によるものです。",
                "No AI model took part in this verdict or in this report. The verdict is that of the rules named.",
            )
        }
    }

    fn terms(&self) -> Vec<Row> {
        let term = |term: &str, ja: &str, en: &str| row(term, vec![Line::small(self.say.pick(ja, en))]);
        let say = self.say;
        vec![
            term(
                say.pick("正検知／誤検知", "True / false positive"),
                "検知が実際の脅威であったもの／脅威ではなかったもの。",
                "A detection of a real threat; a detection of none.",
            ),
            term(
                say.pick("要調査（疑わしい）", "Suspicious"),
                "悪意を確認できないが、否定もできないもの。または業務に不要なもの。",
                "Malice is neither proved nor excluded, or the thing is of no use to the business.",
            ),
            term(
                say.pick("判定保留", "Undetermined"),
                "判断に必要な事実が不足しており、判定していないもの。",
                "No verdict, because facts that it needs are missing.",
            ),
            term(
                "EDR",
                "端末の動作を監視し、脅威を検知・対処する製品。",
                "Endpoint detection and response: watches endpoints, detects threats and acts on them.",
            ),
            term(
                "ATT&CK",
                "攻撃の手口を番号で分類した、MITRE 社の知識体系。",
                "MITRE's catalogue of attack techniques, by number.",
            ),
            term(TLP, "情報共有の範囲。受領組織内に限る。", "How far it may be shared: within your organisation only."),
            term(
                PAP,
                "指標の利用範囲。攻撃者に知られない方法に限る。",
                "How indicators may be used: only in ways that an attacker cannot notice.",
            ),
        ]
    }
}
