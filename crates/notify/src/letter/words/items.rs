//! The items of a letter, each a label and its lines.

use domain::action::{Action, State};
use domain::alert::File;
use domain::clock::Exclusion;
use domain::defang::defang;
use domain::notice::{Kind, TLP, TableRow};
use domain::question::{HOURS_TO_ANSWER, STANDARD};
use domain::reason;
use domain::{Language, Text, Verdict, action};

use super::super::{Item, Line, Medium};
use super::{Words, count, politely};
use crate::{Sender, shown};

const MAX_PATH: usize = 240;
const MAX_ACTIONS: usize = 12;
const MAX_NOTES: usize = 3;

impl Words<'_> {
    pub(in crate::letter) fn incident(&self) -> Item {
        self.plain(Text::new("インシデント番号", "Incident"), self.facts.incident.to_string())
    }

    pub(in crate::letter) fn priority(&self) -> Item {
        let priority = self.facts.priority;
        let line = format!("{} / {}", priority.name(), priority.severity().in_language(self.language));
        self.plain(Text::new("優先度・深刻度", "Priority, severity"), line)
    }

    pub(in crate::letter) fn marking(&self) -> Item {
        self.plain(Text::new("取扱い（TLP）", "Marking (TLP)"), TLP.to_owned())
    }

    pub(in crate::letter) fn endpoint(&self) -> Item {
        let host = self.host(60);
        let line = match (self.facts.user.map(|u| shown::account(u, 80)), self.language) {
            (Some(user), Language::Ja) => format!("{host}（利用者：{user}）"),
            (Some(user), Language::En) => format!("{host} (user: {user})"),
            (None, Language::Ja) => format!("{host}（利用者の記録なし）"),
            (None, Language::En) => format!("{host} (no user recorded)"),
        };
        let lines = [line].into_iter().chain(self.other_hosts()).map(Line::Plain).collect();
        self.item(Text::new("対象端末・利用者", "Endpoint, user"), lines)
    }

    /// `ほか5台：WS-22、WS-21、WS-20 など（検知の新しい順）`.
    fn other_hosts(&self) -> Option<String> {
        let (all, names) = (self.facts.other_hosts, &self.facts.other_host_names);
        if all == 0 {
            return None;
        }
        let named: Vec<String> = names.iter().map(|name| self.host_name(name, 40)).collect();
        let named = named.join(self.say("、", ", "));
        let is_whole = usize::try_from(all).is_ok_and(|all| all <= names.len());
        Some(match (self.language, is_whole) {
            (Language::Ja, true) => format!("ほか{all}台：{named}"),
            (Language::Ja, false) => format!("ほか{all}台：{named} など（検知の新しい順）"),
            (Language::En, true) => {
                format!("and {}: {named}", if all == 1 { "1 other".into() } else { format!("{all} others") })
            }
            (Language::En, false) => format!("and {all} others, the latest first: {named}, …"),
        })
    }

    /// By which a reader recognises the file: where it lies, and its digest as other tools show it.
    pub(in crate::letter) fn file(&self) -> Item {
        let File { path, .. } = self.facts.file;
        let path = path.as_ref().map(|p| shown::path(p, MAX_PATH));
        let hash = self.facts.file.best_hash().map(|h| format!("{}: {}", h.algorithm(), h.as_str()));
        let others = (self.facts.other_files > 0).then(|| match self.language {
            Language::Ja => format!("ほかに{}種類のファイルを検知しています。", self.facts.other_files),
            Language::En => format!("{} detected as well.", count(self.facts.other_files, "other file")),
        });
        let lines = [path, hash, others].into_iter().flatten().map(Line::Plain).collect();
        self.item(Text::new("対象ファイル", "File"), lines)
    }

    pub(in crate::letter) fn detected(&self) -> Item {
        self.plain(Text::new("検知日時", "Detected"), self.time(self.facts.detected_at))
    }

    pub(in crate::letter) fn overview(&self) -> Item {
        let (title, alerts) = (shown::one_line(self.facts.title, 120), self.facts.alert_count);
        let line = match self.language {
            Language::Ja => format!("{}（検知名：{title}、アラート{alerts}件）", self.what()),
            Language::En => format!("{} (detection name: {title}; {})", self.what(), count(alerts, "alert")),
        };
        self.plain(Text::new("概要", "Summary"), line)
    }

    pub(in crate::letter) fn judgement(&self) -> Item {
        let (first, grounds) = (self.stand(), self.grounds());
        let label = Text::new("判定と確度", "Verdict and certainty");
        match (self.facts.verdict, self.language) {
            (Verdict::Undetermined, Language::Ja) => self.plain(label, format!("{first}（理由：{grounds}）")),
            (Verdict::Undetermined, Language::En) => self.plain(label, format!("{first} because: {grounds}")),
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

    pub(in crate::letter) fn status(&self) -> Item {
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

    pub(in crate::letter) fn actions(&self) -> Item {
        let label = match self.facts.kind {
            Kind::First | Kind::Question | Kind::Reminder => Text::new("自動で実施した対処", "Automatic response"),
            Kind::Update | Kind::Analysis => Text::new("自動対処の結果", "Results of the automatic response"),
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
            State::Proposed => Some(self.because(&defang(&reason::sentence(&action.grounds, self.language)))),
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

    pub(in crate::letter) fn requests(&self) -> Item {
        let label = Text::new("お願い", "What we ask of you");
        match self.medium {
            Medium::Mail => self.plain(label, format!("{}{}", self.asked(politely), self.say("。", "."))),
            // A post is short enough for its summary to be the one place.
            Medium::Chat => self.item(label, vec![]),
        }
    }

    pub(in crate::letter) fn questions(&self) -> Item {
        let questions =
            STANDARD.iter().enumerate().map(|(i, q)| Line::Numbered(i + 1, q.in_language(self.language).to_owned()));
        self.item(Text::new("ご質問", "Questions"), questions.collect())
    }

    /// What the analyst added, as the next question.
    pub(in crate::letter) fn addition(&self) -> Item {
        let lines = self.facts.question_addition.map(shown::lines).unwrap_or_default();
        let label = Text::new("追加のご質問（分析担当者）", "The analyst's question");
        self.item(label, lines.into_iter().map(Line::Quoted).collect())
    }

    pub(in crate::letter) fn deadline(&self) -> Item {
        let Some(by) = self.by() else {
            return self.item(Text::new("ご回答の方法", "How to answer"), vec![Line::Plain(self.answer().to_owned())]);
        };
        let line = match self.language {
            _ if self.facts.kind == Kind::Reminder => {
                let by = if self.language == Language::Ja { format!("{by} まで。") } else { format!("By {by}. ") };
                format!("{by}{}", self.answer())
            }
            Language::Ja => format!("{by} まで（送付から{HOURS_TO_ANSWER}時間）。{}", self.answer()),
            Language::En => format!("By {by}, {HOURS_TO_ANSWER} hours from this message. {}", self.answer()),
        };
        self.plain(Text::new("ご回答の期限と方法", "Deadline and form"), line)
    }

    /// Where the question can be answered. The only address of ours in a message; it asks for a sign-in, and what it shows
    /// changes nothing (SEC-22).
    pub(in crate::letter) fn page(&self, sender: &Sender) -> Item {
        let how = self.say(
            "アカウントをお持ちの方は、次のページでもご回答いただけます（サインインが必要です）。",
            "If you have an account, you can answer on this page, too, after signing in.",
        );
        let lines = |origin: &String| {
            let address = format!("{}/answers/{}", origin.trim_end_matches('/'), self.facts.incident);
            vec![Line::Plain(how.to_owned()), Line::Address(address)]
        };
        self.item(Text::new("回答ページ", "Answer page"), sender.pages.as_ref().map(lines).unwrap_or_default())
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

    pub(in crate::letter) fn silence(&self) -> Item {
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

    pub(in crate::letter) fn reason(&self) -> Item {
        let lines = self.facts.verdict_reason.map(shown::lines).unwrap_or_default();
        let label = Text::new("判定の理由（分析担当者）", "The analyst's reason");
        self.item(label, lines.into_iter().map(Line::Quoted).collect())
    }

    /// What an analyst says before the verdict.
    pub(in crate::letter) fn presented(&self) -> Item {
        let lines = self.facts.presented.map(shown::lines).unwrap_or_default();
        let label = Text::new("現時点の分析と推奨（分析担当者）", "Analysis so far and recommendation");
        self.item(label, lines.into_iter().map(Line::Quoted).collect())
    }

    /// The detections of one scan, in a table of lines.
    pub(in crate::letter) fn campaign(&self) -> Item {
        let rows = &self.facts.table;
        let mut lines: Vec<Line> = rows.iter().map(|row| Line::Point(self.row(row))).collect();
        let left_out = self.facts.alert_count.saturating_sub(rows.iter().map(|row| row.alerts).sum());
        if !rows.is_empty() && left_out > 0 {
            lines.push(Line::Plain(match self.language {
                Language::Ja => format!("ほか{left_out}件"),
                Language::En => format!("and {left_out} more"),
            }));
        }
        self.item(Text::new("スキャンでの検知一覧", "Detections of this scan"), lines)
    }

    fn row(&self, row: &TableRow<'_>) -> String {
        let (host, name) = (shown::one_line(row.host, 40), shown::one_line(row.name, 60));
        let state = match row.mitigated {
            true => self.say("対処済み", "mitigated"),
            false => self.say("未対処", "not mitigated"),
        };
        let times = if row.alerts > 1 { format!(" ×{}", row.alerts) } else { String::new() };
        format!("{host} | {name} | {state}{times}")
    }

    /// Why the promised times do not count, where they do not.
    pub(in crate::letter) fn excluded(&self) -> Item {
        let label = Text::new("対応目標の取り扱い", "Service levels");
        let Some(Exclusion::FirstScanStorm { site, alerts, threshold }) = self.facts.excluded else {
            return self.item(label, vec![]);
        };
        let site = shown::one_line(site, 60);
        let line = match self.language {
            Language::Ja => format!(
                "導入時の初回フルディスクスキャンにより、サイト「{site}」で1時間に{alerts}件の検知があり、契約で定めた件数（{threshold}件）を\
                 超えたため、本件は対応目標の対象外となります。分析は通常どおり行います。"
            ),
            Language::En => format!(
                "The first full-disk scan after roll-out raised {alerts} alerts at site “{site}” within an hour, above the \
                 agreed {threshold}: this incident is not counted against the service levels. It is analysed all the same."
            ),
        };
        self.plain(label, line)
    }

    pub(in crate::letter) fn notes(&self) -> Item {
        let newest = self.facts.notes.len().saturating_sub(MAX_NOTES);
        let lines = self.facts.notes.iter().skip(newest).flat_map(|n| shown::lines(n)).map(Line::Quoted).collect();
        self.item(Text::new("分析担当者からのお知らせ", "From the analyst"), lines)
    }

    pub(in crate::letter) fn attachments(&self, attached: &[&str]) -> Item {
        let lines = attached.iter().map(|name| Line::Point((*name).to_owned())).collect();
        self.item(Text::new("添付", "Attached"), lines)
    }

    pub(in crate::letter) fn next(&self) -> Item {
        let line = match (self.facts.kind, self.facts.next_update.map(|at| self.time(at)), self.language) {
            (Kind::Question | Kind::Reminder, _, Language::Ja) => {
                "ご回答をいただき次第、または上記の期限の経過後にご連絡いたします。".into()
            }
            (Kind::Question | Kind::Reminder, _, Language::En) => {
                "When your answer arrives, or after the deadline above.".into()
            }
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

    pub(in crate::letter) fn contact(&self, sender: &Sender) -> Item {
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
