//! Section 2: the verdict, how certain it is, what it rests on, what speaks against it and what would change it.

use domain::alert::{Alert, Confidence, MitigationState, Reputation, Signature};
use domain::defang::defang;
use domain::incident::{VerdictBy, VerdictGiven};
use domain::question::Meaning;
use domain::rules::{self, RuleId, Strength};
use domain::{Text, Verdict};

use super::{Case, words};
use crate::facts::{Block, Cell, Line, Row, Section, cell, row};
use crate::show::foreign;

impl Case<'_> {
    pub(super) fn verdict_section(&self) -> Section {
        let say = self.say;
        let mut blocks = vec![Block::Rows { rows: self.verdict_rows() }];
        blocks.push(Block::heading(say.pick("根拠", "Grounds")));
        blocks.push(Block::List {
            items: self.incident.judgement.grounds.iter().map(|g| say.begin(&defang(&g.text(say.0)))).collect(),
        });
        blocks.push(Block::heading(say.pick("優先度の調整", "Adjustments of the priority")));
        blocks.push(self.modifiers());
        blocks.push(Block::heading(say.pick("分析担当者の判断理由", "Analyst's reason")));
        match &self.incident.verdict_given {
            Some(given) if given.by.person().is_none() => blocks.push(Block::text(self.silence())),
            Some(given) => {
                blocks.push(Block::Quote { text: foreign(&given.reason) });
                blocks.push(Block::note(
                    say.pick("担当者の記載をそのまま引用しています。", "Quoted as the analyst wrote it."),
                ));
            }
            None => blocks.push(Block::text(
                say.pick("分析担当者の判定は、まだ登録されていません。", "No analyst's verdict is on record yet."),
            )),
        }
        blocks.push(Block::heading(say.pick("判定に反する事実", "Evidence against")));
        blocks.push(self.counter_evidence());
        blocks.push(Block::heading(say.pick("判定が変わる条件", "What would change the verdict")));
        blocks.push(Block::text(say.text(what_would_change(self.incident.judgement.rule))));
        Section::new("2", say.pick("判定と根拠", "Verdict and grounds"), blocks)
    }

    fn verdict_rows(&self) -> Vec<Row> {
        let say = self.say;
        let judgement = &self.incident.judgement;
        let rule = rules::rule(judgement.rule);
        let (name, severity) = (judgement.priority.name(), say.text(judgement.priority.severity()));
        let (by_rule, strength) = (say.text(judgement.verdict.text()), say.text(words::strength(judgement.strength)));
        vec![
            row(say.pick("判定と確度", "Verdict, certainty"), self.verdict_and_certainty()),
            row(say.pick("判定した者", "Given by"), cell(say.begin(&self.given_by()))),
            row(
                say.pick("優先度", "Priority"),
                cell(say.pick(format!("{name}（{severity}）"), format!("{name} ({severity})"))),
            ),
            row(
                say.pick("適用した規則", "Rule applied"),
                vec![
                    Line::plain(format!("{} {}", rule.id, say.text(rule.title))),
                    Line::small(say.pick(
                        format!("規則による判定：{by_rule}。証拠の強さ：{strength}。"),
                        format!("Verdict by rule: {by_rule}. Strength of evidence: {strength}."),
                    )),
                ],
            ),
        ]
    }

    /// The verdict and, below it, how certain it is or why none is possible.
    pub(super) fn verdict_and_certainty(&self) -> Cell {
        let say = self.say;
        let judgement = &self.incident.judgement;
        let certainty = match self.incident.verdict {
            Verdict::Undetermined => {
                let why = say.text(why_undetermined(judgement.rule));
                say.pick(format!("現時点では判断できません（理由：{why}）"), format!("cannot determine because {why}"))
            }
            // Each verdict of an analyst that the rules do not share is the analyst's own judgement.
            verdict if self.incident.verdict_given.is_some() && verdict != judgement.verdict => say.pick(
                format!("判断しています（分析担当者の判断。規則による判定は「{}」）", judgement.verdict.text().ja),
                format!("assessed by an analyst (verdict by rule: {})", judgement.verdict.text().en),
            ),
            Verdict::Suspicious => say.pick("可能性があります", "possible").to_owned(),
            _ if self.incident.verdict_given.is_some() && judgement.strength == Strength::Weak => say
                .pick(
                    "判断しています（分析担当者の判断。確度の記録なし）",
                    "assessed by an analyst; certainty not recorded",
                )
                .to_owned(),
            Verdict::TruePositive | Verdict::FalsePositive => say.text(judgement.strength.certainty()).to_owned(),
        };
        vec![Line::strong(say.text(self.incident.verdict.text())), Line::plain(say.begin(&certainty))]
    }

    pub(super) fn silence(&self) -> String {
        let (hours, verdict) = (domain::question::HOURS_TO_ANSWER, self.say.text(self.incident.verdict.text()));
        self.say.pick(
            format!("お客様へのご質問に{hours}時間以内のご回答がなかったため、取り決めにより判定を「{verdict}」としました。ご回答をいただき次第、判定を見直します。"),
            format!("No answer to our question within {hours} hours: by the agreed rule the verdict is “{verdict}”. It will be reviewed when an answer arrives."),
        )
    }

    fn given_by(&self) -> String {
        let say = self.say;
        match &self.incident.verdict_given {
            Some(VerdictGiven { by: VerdictBy::Person(who), at, .. }) => {
                let (who, at) = (say.person(who, self.options.issuer), say.moment(*at));
                say.pick(format!("分析担当者 {who}（{at}）"), format!("analyst {who}, {at}"))
            }
            Some(VerdictGiven { at, .. }) => {
                let at = say.moment(*at);
                say.pick(format!("ご回答期限の経過（{at}）"), format!("no answer within the agreed time ({at})"))
            }
            None => say
                .pick(
                    "判定規則（自動）。分析担当者の判定は未登録です。",
                    "the rules, automatically; no analyst's verdict yet",
                )
                .to_owned(),
        }
    }

    fn modifiers(&self) -> Block {
        let say = self.say;
        let steps = &self.incident.judgement.modifiers;
        if steps.is_empty() {
            return Block::text(say.pick("調整はありません。", "No adjustments."));
        }
        let step = |m: &rules::Modifier| {
            let (from, to, why) = (m.from.name(), m.to.name(), say.grounds(&m.grounds));
            say.pick(format!("{from} から {to} へ：{why}"), format!("{from} to {to}: {why}"))
        };
        Block::List { items: steps.iter().map(step).collect() }
    }

    /// Facts on record that speak for a milder reading of anything that is not a false positive, or against one that is.
    fn counter_evidence(&self) -> Block {
        let say = self.say;
        let alerts = &self.incident.alerts;
        let seen = |wanted: fn(&Alert) -> bool| alerts.iter().any(wanted);
        let milder = self.incident.verdict != Verdict::FalsePositive;
        let mut found: Vec<String> = Vec::new();
        let mut add = |holds: bool, text: Text| {
            if holds {
                found.push(say.text(text).to_owned());
            }
        };
        if milder {
            add(
                seen(|a| matches!(a.file.signature, Signature::Valid { .. })),
                Text::new("ファイルに有効な電子署名があります。", "The file carries a valid signature."),
            );
            add(
                seen(|a| a.detection.confidence == Confidence::Suspicious),
                Text::new("EDR の確度は「悪意あり」に達していません。", "The EDR's confidence is below “malicious”."),
            );
            add(
                !seen(Alert::was_executed),
                Text::new("実行された形跡は記録されていません。", "No execution is on record."),
            );
            add(
                seen(|a| a.mitigation.state == MitigationState::MarkedBenign),
                Text::new("管理コンソールで無害と登録されています。", "The console marks it as benign."),
            );
            add(
                self.answered(Meaning::Ours),
                Text::new("お客様が意図して使用しているとの回答があります。", "The customer says that it is theirs."),
            );
            add(
                seen(|a| a.detection.reputation == Reputation::NotKnown),
                Text::new(
                    "EDR のクラウド評価では既知の悪性ファイルではありません（未知は安全を意味しません）。",
                    "The EDR's cloud does not know the file as malicious (not known is not clean).",
                ),
            );
        } else {
            add(
                seen(|a| a.detection.confidence == Confidence::Malicious),
                Text::new("EDR の確度は「悪意あり」です。", "The EDR's confidence is “malicious”."),
            );
            add(
                seen(|a| a.detection.reputation == Reputation::KnownMalicious),
                Text::new(
                    "EDR のクラウド評価では既知の悪性ファイルです。",
                    "The EDR's cloud knows the file as malicious.",
                ),
            );
            add(
                seen(Alert::was_executed),
                Text::new(
                    "振る舞いに基づく検知（実行の記録）があります。",
                    "There are behavioural detections: it ran.",
                ),
            );
            add(
                self.answered(Meaning::Unknown),
                Text::new(
                    "お客様に心当たりがないとの回答があります。",
                    "The customer says that it is not known to them.",
                ),
            );
        }
        if found.is_empty() {
            let n = alerts.len();
            return Block::text(say.pick(
                format!("確認した範囲（記録された検知 {n} 件）では認められませんでした。"),
                format!("Not observed within the detections on record ({n})."),
            ));
        }
        Block::List { items: found }
    }

    fn answered(&self, meaning: Meaning) -> bool {
        self.incident.questions.values().filter_map(|q| q.answer.as_ref()).any(|a| a.meaning == meaning)
    }
}

/// The missing fact, as the rest of “cannot determine because …”.
fn why_undetermined(rule: RuleId) -> Text {
    match rule {
        RuleId::R12 => Text::new(
            "ファイルの特徴のみによる検知で、実行の記録、コマンドライン、評判情報による裏付けがないため",
            "the file was detected by its features alone: no execution, no command line and no reputation bears it out",
        ),
        RuleId::R11 => Text::new(
            "管理用にも攻撃にも使われるツールで、使用の目的が記録からは分からないため",
            "administrators and attackers both use such a tool, and the record does not show who used it for what",
        ),
        _ => Text::new("判断に必要な事実が記録にないため", "facts that are needed to decide are not on record"),
    }
}

/// Follows from what the rule looks at; see the decision table.
fn what_would_change(rule: RuleId) -> Text {
    use RuleId::{R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12, R13, R14, R22, R25, R26};
    match rule {
        R01 | R02 | R03 | R04 => Text::new(
            "検知された操作が、承認済みの試験や作業として、操作者・端末・時間帯とも一致すると確認できた場合。その場合も、実施済みの対処は担当者の確認後に解除します。",
            "Proof that the activity was an approved test or piece of work, with operator, endpoint and time all matching. Even then our actions are undone only after a person has checked.",
        ),
        R22 => Text::new(
            "管理者による作業と確認できた場合は「誤検知」、管理者の作業でないと確認できた場合は「正検知」に見直します。",
            "An administrator's work makes it a false positive; confirmation that it was none makes it a true positive.",
        ),
        R25 => Text::new(
            "送信先と内容が業務上のものと確認できた場合は「誤検知」、認証情報の窃取や横展開など別の証拠が見つかった場合は「正検知」に見直します。",
            "A business purpose of destination and content makes it a false positive; further evidence such as credential theft or lateral movement makes it a true positive.",
        ),
        R05 | R06 | R07 | R26 => Text::new(
            "ファイルの正当な用途と入手元が確認でき、記録された振る舞いがその用途で説明できた場合。",
            "A legitimate purpose and source of the file that explain the behaviour on record.",
        ),
        R08 => Text::new(
            "対象製品に該当する脆弱性がないと確認できた場合は引き下げ、攻撃プログラムの実行が確認できた場合は「正検知」に見直します。",
            "Proof that the product is not vulnerable lowers it; proof that a payload ran makes it a true positive.",
        ),
        R09 => Text::new(
            "通信先が業務上のものと確認できた場合は「誤検知」、通信したプログラムが悪性と確認できた場合は「正検知」に見直します。",
            "A business purpose of the destination makes it a false positive; proof that the program is malicious makes it a true positive.",
        ),
        R10 => Text::new(
            "業務上必要なソフトウェアと確認できた場合は「誤検知」、悪意のある振る舞いが検知された場合は「正検知」に見直します。",
            "A business need makes it a false positive; malicious behaviour makes it a true positive.",
        ),
        R11 | R12 => Text::new(
            "お客様が目的と入手元を示された場合は「誤検知」、心当たりがない場合、または72時間以内に回答をいただけない場合は「要調査（疑わしい）」に見直します。",
            "Purpose and source from the customer make it a false positive; “not known to us”, or no answer within 72 hours, makes it suspicious.",
        ),
        R13 => Text::new(
            "同じファイルが異なる振る舞い、起動元、署名で検知された場合は、過去の判定を含めて再検討します。",
            "The same file with another behaviour, parent or signature: the verdict is then looked at again.",
        ),
        R14 => Text::new(
            "目的と入手元が後から確認できた場合は「誤検知」、悪性を示す別の証拠が見つかった場合は「正検知」に見直します。",
            "Purpose and source found later make it a false positive; further evidence of malice makes it a true positive.",
        ),
        _ => Text::new(
            "不足している情報が得られた場合。内容に応じて判定と優先度を見直します。",
            "The missing information: verdict and priority then follow from what it says.",
        ),
    }
}
