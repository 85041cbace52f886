//! Section 4: the endpoints concerned, how far it reaches as far as is known, and what has not been asked yet.

use domain::action::{Kind, State};
use domain::alert::Alert;
use domain::endpoint::{Endpoint, Network};
use domain::incident::Host;
use domain::rules::RuleId;
use domain::{AgentId, Untrusted};

use super::{Case, words};
use crate::facts::{Block, Cell, Line, Section, cell, columns, row};
use crate::show::{account, foreign};

/// Most endpoints listed one by one.
const MAX_LISTED: usize = 40;
/// Most addresses of one endpoint.
const MAX_ADDRESSES: usize = 3;

impl Case<'_> {
    pub(super) fn assets_section(&self) -> Section {
        let say = self.say;
        let mut blocks = vec![Block::heading(say.pick("対象の端末", "Endpoints")), self.hosts_table()];
        let hidden = self.incident.hosts.len().saturating_sub(MAX_LISTED);
        if hidden > 0 {
            blocks.push(Block::note(say.pick(
                format!("ほか {hidden} 台は記載を省略しています。"),
                format!("{hidden} further endpoints are not listed."),
            )));
        }
        blocks.push(Block::note(say.pick(
            "利用者、センサー、対処の状態は、検知の記録によるものです（当方の対処による変化は番号を付して示します）。",
            "User, sensor and mitigation are as the detection's record says; changes by our own actions carry their number.",
        )));
        blocks.push(Block::heading(say.pick("影響範囲", "Scope")));
        blocks.push(Block::Rows {
            rows: vec![
                row(say.pick("検知のあった端末", "Endpoints concerned"), cell(self.host_count())),
                row(
                    say.pick("ほかの端末への波及", "Other endpoints"),
                    cell(say.pick(
                        "本インシデントに集約された検知の範囲で示しています。ほかの端末の調査結果は記録にありません。",
                        "As far as detections joined to this incident show. No search of other endpoints is on record.",
                    )),
                ),
                row(say.pick("個人情報の取扱い", "Personal data"), cell(self.personal_data())),
            ],
        });
        Section::new("4", say.pick("対象と影響範囲", "Assets and scope"), blocks)
    }

    fn host_count(&self) -> String {
        let n = self.incident.hosts.len();
        let others = n.saturating_sub(1);
        match (self.incident.alerts.first(), others) {
            (Some(first), others) if others > 0 => {
                let host = self.say.name(&first.endpoint.name);
                self.say.pick(
                    format!("{n} 台（最初に検知した端末{host}のほか {others} 台）"),
                    format!("{n}: {host}, where it was first seen, and {others} more"),
                )
            }
            _ => self.say.pick(format!("{n} 台"), format!("{n}")),
        }
    }

    /// The question itself belongs to R25; elsewhere nobody has asked it yet.
    fn personal_data(&self) -> &'static str {
        if self.incident.judgement.rule == RuleId::R25 {
            self.say.pick(
                "対象端末で扱うデータの種類（個人情報の有無を含む）をお尋ねしています（第11節）。",
                "We ask what data the endpoint handles, personal data included (section 11).",
            )
        } else {
            self.say.pick(
                "対象端末で個人情報を取り扱っているかどうかは、まだ確認していません。",
                "Whether the endpoint handles personal data has not been asked yet.",
            )
        }
    }

    fn hosts_table(&self) -> Block {
        let say = self.say;
        let rows = self.incident.hosts.iter().take(MAX_LISTED).map(|(agent, host)| {
            let alerts: Vec<&Alert> = self.incident.alerts.iter().filter(|a| a.endpoint.agent == *agent).collect();
            let newest = alerts.last().map(|a| &a.endpoint);
            vec![
                self.host_name(host, newest),
                self.host_class(host, newest),
                self.host_user(&alerts),
                self.host_sensor(agent, newest),
                self.host_mitigation(&alerts),
            ]
        });
        Block::Table {
            columns: columns(&[
                (say.pick("端末", "Endpoint"), 15),
                (say.pick("種別・OS", "Class, OS"), 13),
                (say.pick("利用者・グループ", "User, group"), 14),
                (say.pick("センサー・通信", "Sensor, network"), 13),
                (say.pick("端末上の対処", "Mitigation"), 13),
            ]),
            rows: rows.collect(),
        }
    }

    fn host_name(&self, host: &Host, endpoint: Option<&Endpoint>) -> Cell {
        let mut lines = vec![Line::strong(foreign(&host.name))];
        if let Some(endpoint) = endpoint {
            lines.extend(endpoint.domain.as_ref().map(|d| Line::small(foreign(d))));
            lines.extend(endpoint.addresses.iter().take(MAX_ADDRESSES).map(|a| Line::small(foreign(a))));
        }
        lines
    }

    fn host_class(&self, host: &Host, endpoint: Option<&Endpoint>) -> Cell {
        let class = Line::plain(self.say.text(host.class.text()));
        let os = endpoint.map(|e| {
            Line::small(e.os_name.as_ref().map_or_else(|| self.say.text(words::os(e.os)).to_owned(), foreign))
        });
        [Some(class), os].into_iter().flatten().collect()
    }

    fn host_user(&self, alerts: &[&Alert]) -> Cell {
        let say = self.say;
        let mut users: Vec<&Untrusted> = Vec::new();
        for user in alerts.iter().filter_map(|a| a.process.user.as_ref().or(a.endpoint.last_user.as_ref())) {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        let mut lines: Vec<Line> = users.iter().take(2).map(|u| Line::plain(account(u))).collect();
        if lines.is_empty() {
            lines.push(Line::small(say.pick("利用者：記録なし", "User: not recorded")));
        }
        if let Some(group) = alerts.iter().rev().find_map(|a| a.endpoint.group.as_ref()) {
            let group = foreign(group);
            lines.push(Line::small(say.pick(format!("グループ：{group}"), format!("Group: {group}"))));
        }
        lines
    }

    fn host_sensor(&self, agent: &AgentId, endpoint: Option<&Endpoint>) -> Cell {
        let say = self.say;
        let Some(endpoint) = endpoint else { return vec![Line::small(say.not_recorded())] };
        let version = endpoint.agent_version.as_ref().map_or_else(|| say.not_recorded().to_owned(), foreign);
        let online = match endpoint.online {
            Some(true) => say.pick("稼働中", "active"),
            Some(false) => say.pick("停止・切断中", "not active"),
            None => say.pick("稼働状態の記録なし", "activity not recorded"),
        };
        let isolated =
            self.incident.actions.values().find(|a| {
                a.kind == Kind::Isolate && a.target.agent == *agent && matches!(a.state, State::Verified { .. })
            });
        let network = match isolated {
            Some(action) => {
                say.pick(format!("通信：隔離済み（{}）", action.id), format!("network: isolated ({})", action.id))
            }
            None => {
                let state = self.network_text(endpoint.network);
                say.pick(format!("通信：{state}"), format!("network: {state}"))
            }
        };
        let strong = isolated.is_some() || endpoint.network == Network::Isolated;
        vec![
            Line::plain(version),
            Line::small(online),
            if strong { Line::strong(network) } else { Line::small(network) },
        ]
    }

    fn host_mitigation(&self, alerts: &[&Alert]) -> Cell {
        let say = self.say;
        if alerts.is_empty() {
            return vec![Line::small(say.not_recorded())];
        }
        let (done, all) = (alerts.iter().filter(|a| a.is_mitigated()).count(), alerts.len());
        if all == 1 {
            return cell(say.text(alerts[0].mitigation.state.text()));
        }
        cell(say.pick(format!("検知 {all} 件中 {done} 件対処済み"), format!("{done} of {all} mitigated")))
    }
}
