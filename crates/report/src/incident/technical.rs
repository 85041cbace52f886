//! Section 5: what the alerts say of file, process, detection and behaviour. Nothing here is concluded, all of it is on record.

use domain::alert::{Alert, Detection, Signature};
use domain::defang::defang;
use domain::{Text, Untrusted};

use super::{Case, words};
use crate::facts::{Block, Cell, Line, Row, Section, cell, columns, row};
use crate::show::{account, foreign};

/// Most alerts described in full; all that are kept stand in the list.
const MAX_IN_FULL: usize = 6;
/// Most indicators of one alert.
const MAX_INDICATORS: usize = 20;

impl Case<'_> {
    pub(super) fn technical_section(&self) -> Section {
        let say = self.say;
        let alerts = &self.incident.alerts;
        let mut blocks = Vec::new();
        if self.incident.alert_count > 1 {
            blocks.push(Block::text(self.counted()));
            blocks.push(self.alerts_table());
        }
        for (number, alert) in alerts.iter().take(MAX_IN_FULL).enumerate() {
            let name = foreign(&alert.name);
            let number = number + 1;
            blocks.push(Block::heading(say.pick(format!("検知 {number}：{name}"), format!("Alert {number}: {name}"))));
            blocks.push(Block::Rows { rows: self.alert_rows(alert) });
            blocks.extend(self.indicators(&alert.detection));
        }
        blocks.push(Block::note(say.pick(
            "通信先の表記は、誤って接続しないよう無効化しています（例：hxxp[://]、[.]）。ATT&CK の技術番号は EDR の記録によるもので、ATT&CK の版は記録されていません。",
            "Addresses are defanged (hxxp[://], [.]) so that they cannot be opened by accident. ATT&CK technique ids are those in the EDR's record, which does not name the ATT&CK version.",
        )));
        Section::new("5", say.pick("技術分析", "Technical analysis"), blocks)
    }

    fn counted(&self) -> String {
        let (count, kept) = (self.incident.alert_count, self.incident.alerts.len());
        let full = kept.min(MAX_IN_FULL);
        self.say.pick(
            format!(
                "本インシデントの検知は {count} 件です。このうち {kept} 件を一覧に、{full} 件を詳細に記載しています。"
            ),
            format!("This incident counts {count} alerts: {kept} are listed, {full} of them described in full."),
        )
    }

    fn alerts_table(&self) -> Block {
        let say = self.say;
        let rows = self.incident.alerts.iter().enumerate().map(|(i, a)| {
            vec![
                cell((i + 1).to_string()),
                cell(say.second(a.detected_at)),
                vec![Line::plain(foreign(&a.endpoint.name))],
                vec![Line::plain(defang(&a.name.short(60))), Line::small(a.id.to_string())],
                cell(say.text(a.mitigation.state.text())),
            ]
        });
        Block::Table {
            columns: columns(&[
                ("#", 7),
                (say.pick("検知時刻（JST）", "Detected (JST)"), 40),
                (say.pick("端末", "Endpoint"), 40),
                (say.pick("名称・アラートID", "Name, alert id"), 52),
                (say.pick("端末上の状態", "State"), 29),
            ]),
            rows: rows.collect(),
        }
    }

    fn alert_rows(&self, alert: &Alert) -> Vec<Row> {
        let say = self.say;
        let Detection { engines, classification, .. } = &alert.detection;
        let detection = &alert.detection;
        let engines = if engines.is_empty() {
            say.not_recorded().to_owned()
        } else {
            say.list(&engines.iter().map(|e| defang(&e.name())).collect::<Vec<_>>())
        };
        let mut rows = vec![
            row(
                say.pick("アラート", "Alert"),
                vec![
                    Line::plain(alert.id.to_string()),
                    Line::small(say.pick(
                        format!("記録の種類：{}", words::source(alert.source).ja),
                        format!("kind of record: {}", words::source(alert.source).en),
                    )),
                ],
            ),
            row(
                say.pick("検知時刻", "Detected"),
                cell(say.pick(
                    format!("{}（JST、UTC+09:00）", say.second(alert.detected_at)),
                    format!("{} JST (UTC+09:00)", say.second(alert.detected_at)),
                )),
            ),
            row(say.pick("検知方式", "Detection"), cell(say.text(words::detection_kind(detection.kind)))),
            row(say.pick("検知エンジン", "Engines"), cell(engines)),
            row(
                say.pick("分類・確度（EDR）", "Class, confidence"),
                cell(format!(
                    "{} / {}",
                    foreign(&classification.name()),
                    say.text(words::confidence(detection.confidence))
                )),
            ),
            row(say.pick("契機", "Initiated by"), cell(say.begin(say.text(words::initiator(detection.initiated_by))))),
        ];
        rows.extend(self.file_rows(alert));
        rows.extend(self.process_rows(alert));
        rows.push(row(say.pick("端末上の対処", "Mitigation"), self.mitigation(alert)));
        rows
    }

    fn file_rows(&self, alert: &Alert) -> Vec<Row> {
        let say = self.say;
        let file = &alert.file;
        let mut path = self.code(file.path.as_ref());
        path.extend(file.size_bytes.map(|n| Line::small(say.pick(format!("{n} バイト"), format!("{n} bytes")))));
        let hashes: Vec<_> = [&file.sha256, &file.sha1, &file.md5].into_iter().flatten().collect();
        let mut hash_lines: Cell =
            hashes.iter().flat_map(|h| [Line::small(h.algorithm()), Line::code(h.as_str())]).collect();
        if hash_lines.is_empty() {
            hash_lines = vec![Line::small(say.not_recorded())];
        }
        vec![
            row(say.pick("ファイル", "File"), path),
            row(say.pick("ハッシュ値", "Hashes"), hash_lines),
            row(say.pick("電子署名", "Signature"), cell(self.signature(&file.signature))),
            row(
                say.pick("評判（EDR）", "Reputation (EDR)"),
                cell(say.begin(say.text(words::reputation(alert.detection.reputation)))),
            ),
        ]
    }

    fn process_rows(&self, alert: &Alert) -> Vec<Row> {
        let say = self.say;
        let process = &alert.process;
        vec![
            row(say.pick("実行ユーザー", "Ran as"), self.code_of(process.user.as_ref(), account)),
            row(say.pick("起動元", "Started by"), self.code(process.originator.as_ref())),
            row(say.pick("コマンドライン", "Command line"), self.code(process.command_line.as_ref())),
            row(
                say.pick("ストーリーライン", "Storyline"),
                self.code(alert.storyline.as_ref().map(|s| Untrusted::new(&s.short(100))).as_ref()),
            ),
        ]
    }

    fn code(&self, text: Option<&Untrusted>) -> Cell {
        self.code_of(text, foreign)
    }

    fn code_of(&self, text: Option<&Untrusted>, shown: fn(&Untrusted) -> String) -> Cell {
        text.map_or_else(|| vec![Line::small(self.say.not_recorded())], |t| vec![Line::code(shown(t))])
    }

    fn signature(&self, signature: &Signature) -> String {
        let say = self.say;
        let by = |word: Text, publisher: &Option<Untrusted>| match publisher {
            Some(p) => say.pick(format!("{}（{}）", word.ja, foreign(p)), format!("{} ({})", word.en, foreign(p))),
            None => {
                say.pick(format!("{}（発行先の記録なし）", word.ja), format!("{} (publisher not recorded)", word.en))
            }
        };
        match signature {
            Signature::Unknown => say.not_recorded().to_owned(),
            Signature::NotSigned => say.pick("署名なし", "Not signed").to_owned(),
            Signature::Invalid { publisher } => by(Text::new("無効な署名", "Invalid signature"), publisher),
            Signature::Valid { publisher } => by(Text::new("有効な署名", "Valid signature"), publisher),
        }
    }

    fn mitigation(&self, alert: &Alert) -> Cell {
        let say = self.say;
        let state = say.text(alert.mitigation.state.text());
        let before = if alert.mitigation.preemptive {
            say.pick("（実行前に阻止）", " (stopped before it ran)")
        } else {
            ""
        };
        vec![Line::plain(format!("{state}{before}"))]
    }

    fn indicators(&self, detection: &Detection) -> Vec<Block> {
        let say = self.say;
        if detection.indicators.is_empty() {
            let ids: Vec<String> = detection.techniques.iter().map(ToString::to_string).collect();
            let text = if ids.is_empty() {
                say.pick(
                    "指標（Indicator）と ATT&CK 技術の記録はありません。",
                    "No indicators or ATT&CK techniques are on record.",
                )
                .to_owned()
            } else {
                let ids = say.list(&ids);
                say.pick(
                    format!("ATT&CK 技術：{ids}。個々の指標の記録はありません。"),
                    format!("ATT&CK techniques: {ids}. No single indicators are on record."),
                )
            };
            return vec![Block::text(text)];
        }
        let rows = detection.indicators.iter().take(MAX_INDICATORS).map(|i| {
            let ids: Vec<String> = i.techniques.iter().map(ToString::to_string).collect();
            vec![
                i.category.as_ref().map_or_else(|| vec![Line::small(say.not_recorded())], |c| cell(foreign(c))),
                cell(foreign(&i.description)),
                if ids.is_empty() { vec![Line::small(say.not_recorded())] } else { cell(say.list(&ids)) },
            ]
        });
        let table = Block::Table {
            columns: columns(&[
                (say.pick("指標の分類", "Category"), 14),
                (say.pick("観測された内容（EDR の記述）", "Observed (the EDR's words)"), 38),
                ("ATT&CK", 12),
            ]),
            rows: rows.collect(),
        };
        let cut = u32::try_from(detection.indicators.len().saturating_sub(MAX_INDICATORS)).unwrap_or(u32::MAX);
        let hidden = cut.saturating_add(detection.indicators_left_out);
        let note = (hidden > 0).then(|| {
            Block::note(say.pick(
                format!("ほか {hidden} 件の指標は記載を省略しています。"),
                format!("{hidden} further indicators are not listed."),
            ))
        });
        [Some(table), note].into_iter().flatten().collect()
    }
}
