//! One question as the customer reads it: what was found, what is asked, the form; or the answer and what happens next.
//!
//! For people who are no security experts, often on a telephone: plain words, one column, one button.

use domain::action::{Action, State};
use domain::judgement::Verdict;
use domain::notice::Facts;
use domain::question::{Answer, Meaning, STANDARD};
use domain::rules::RuleId;
use domain::{Timestamp, Untrusted};
use maud::{Markup, html};

use super::list::left;
use super::{Case, Draft, Standing};
use crate::say::Say;
use crate::show;

/// Most actions named.
const MAX_ACTIONS: usize = 8;
/// Longest name and path shown of a file.
const MAX_NAME: usize = 120;
const MAX_PATH: usize = 300;

/// An answer as its page shows it.
pub(super) struct Answered<'a> {
    pub(super) answer: &'a Answer,
    /// One of the company's own people; `None` when one of us wrote it down.
    pub(super) by: Option<String>,
    /// It took a closed case up again.
    pub(super) reopened: bool,
    /// The reader gave it a moment ago.
    pub(super) sent: bool,
}

pub(super) fn markup(case: &Case<'_>, answered: Option<&Answered<'_>>, draft: &Draft) -> Markup {
    let say = case.say;
    html! {
        p.back { a href="/answers" { "← " (say.pick("一覧へ戻る", "All questions")) } }
        @match answered {
            Some(answered) => {
                (given(answered, say))
                @if !draft.words.trim().is_empty() || draft.meaning.is_some() { (unsent(draft, say)) }
                (next(case, answered))
                details.found { summary { (say.pick("検知の内容と質問を見る", "What was found, and what we asked")) } (found(case)) (questions(case)) }
            },
            None => {
                h1 { (say.pick("この検知について教えてください", "Please tell us about this detection")) }
                (standing(case))
                (found(case))
                (questions(case))
                (form(case, draft))
            },
        }
    }
}

// ── what was found ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// By when, or that it is late but welcome.
fn standing(case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        @match case.standing() {
            Standing::Waiting { until: Some(until) } => {
                p.deadline {
                    (say.pick("回答期限", "Please answer by")) " " b { time datetime=(show::machine(until)) { (show::day(until, say)) } }
                    " " span { (say.pick("（", "(")) (left(until, case.now, say)) (say.pick("）", ")")) }
                }
                p.hint { (silence(case)) " " (say.pick("期限を過ぎても回答できます。", "You can still answer afterwards.")) }
            },
            Standing::Lapsed { closed: true } => {
                p.deadline.late { (say.pick(
                    "本件はご回答のないまま終了しています。いまからでも回答できます。回答すると、本件の調査を再開します。",
                    "This case was closed without your answer. You can still give it; we then take the case up again.",
                )) }
            },
            Standing::Lapsed { closed: false } => {
                p.deadline.late { (say.pick(
                    "回答期限を過ぎていますが、いまからでも回答できます。内容に応じて判定を見直します。",
                    "The time to answer is over, but you still can. We then look at our verdict again.",
                )) }
            },
            Standing::Waiting { until: None } | Standing::Answered(_) => {},
        }
    }
}

/// What no answer would mean.
fn silence(case: &Case<'_>) -> String {
    let (verdict, say) = (case.incident.verdict, case.say);
    let text = say.text(verdict.text());
    match verdict {
        Verdict::Undetermined => say
            .pick(
                "期限までにご回答がない場合は「疑わしい」ものとして扱います。",
                "Without an answer by then we treat it as suspicious.",
            )
            .to_owned(),
        _ => say.pick(
            format!("期限までにご回答がない場合は、現在の判定（{text}）を維持します。"),
            format!("Without an answer by then, our present verdict stands ({}).", text.to_lowercase()),
        ),
    }
}

fn found(case: &Case<'_>) -> Markup {
    let say = case.say;
    let Some(facts) = case.facts() else { return html! {} };
    html! {
        section.found {
            h2 { (say.pick("見つかったもの", "What was found")) }
            dl {
                dt { (say.pick("ファイル", "File")) }
                dd { b { (show::foreign(&file_name(&facts), MAX_NAME)) }
                    @if let Some(path) = &facts.file.path { span.path { (show::foreign(path, MAX_PATH)) } }
                    @if facts.other_files > 0 { span.more { (say.pick(format!("ほか {} 個", facts.other_files), format!("and {} more", facts.other_files))) } }
                }
                dt { (say.pick("端末", "Computer")) }
                dd { b { (show::foreign(facts.host, 60)) }
                    @if facts.other_hosts > 0 { " " (say.pick(format!("ほか {} 台", facts.other_hosts), format!("and {} more", facts.other_hosts))) }
                    @if let Some(user) = facts.user { span.path { (say.pick("利用者", "User")) " " (show::foreign(user, 80)) } }
                }
                dt { (say.pick("検知日時", "When")) }
                dd { time datetime=(show::machine(facts.detected_at)) { (show::day(facts.detected_at, say)) } }
                dt { (say.pick("検知の理由", "Why")) }
                dd { (reason(&facts, say)) span.path { (say.pick("検知名", "Detected as")) " " (show::foreign(facts.title, MAX_NAME)) } }
                dt { (say.pick("対応状況", "Done")) }
                dd { (done(&facts, say)) }
                dt { (say.pick("受付番号", "Reference")) }
                dd { (case.incident.id) }
            }
        }
    }
}

/// Why we ask, for somebody who does not know what a static detection is.
fn reason(facts: &Facts<'_>, say: Say) -> &'static str {
    match facts.rule {
        RuleId::R11 => say.pick(
            "管理作業にも攻撃にも使われるツールです。意図して使われたものかどうか、当方では判断できません。",
            "A tool that administrators and attackers use alike. We cannot tell whether it was used on purpose.",
        ),
        RuleId::R12 => say.pick(
            "まだ知られていないファイルです。業務で使われているものかどうか、当方では判断できません。",
            "A file that is not known yet. We cannot tell whether it belongs to your work.",
        ),
        RuleId::R15 => say.pick(
            "多くの端末で使われている、署名のないツールです。自社で作成されたものかどうか、当方では判断できません。",
            "An unsigned tool that runs on many of your computers. We cannot tell whether your company made it.",
        ),
        _ => say.text(facts.what),
    }
}

/// The last part of the path, which a person knows the file by; else what the sensor calls it.
fn file_name(facts: &Facts<'_>) -> Untrusted {
    let path = facts.file.path.as_ref().map(Untrusted::for_matching).unwrap_or_default();
    match path.rsplit(['\\', '/']).next() {
        Some(name) if !name.trim().is_empty() => Untrusted::new(name),
        _ => facts.title.clone(),
    }
}

/// What keeps the reader safe meanwhile, in few words.
fn done(facts: &Facts<'_>, say: Say) -> Markup {
    let more = facts.actions.len().saturating_sub(MAX_ACTIONS);
    html! {
        @if facts.mitigated {
            p { (say.pick(
                "端末のセキュリティソフト（EDR）が、停止や隔離などの対処を済ませています。",
                "The security software on the computer (EDR) has already contained it.",
            )) }
        } @else if facts.actions.is_empty() {
            p { (say.pick("まだ対処は行っていません。", "Nothing has been stopped or removed yet.")) }
        }
        @for action in facts.actions.iter().take(MAX_ACTIONS) { p { (action_line(action, say)) } }
        @if more > 0 { p { (say.pick(format!("ほか{more}件"), format!("and {more} more"))) } }
    }
}

fn action_line(action: &Action, say: Say) -> Markup {
    let settled = action.settled_at.filter(|_| matches!(action.state, State::Verified { .. }));
    html! {
        (say.text(action.kind.text())) (say.pick("：", ": ")) (say.text(action.state.text()))
        @if let Some(at) = settled { (say.pick("（", " (")) (show::day(at, say)) (say.pick("）", ")")) }
    }
}

// ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────────────────

fn questions(case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        section.questions {
            h2 { (say.pick("お聞きしたいこと", "What we would like to know")) }
            ol { @for question in STANDARD { li { (say.text(question)) } } }
            @if let Some(addition) = &case.question.addition {
                h3 { (say.pick("あわせてお聞きしたいこと", "And in this case")) }
                div.quote { (show::prose(addition)) }
            }
        }
    }
}

/// A choice, and what it is good for.
pub(super) fn choice(meaning: Meaning, say: Say) -> (&'static str, &'static str) {
    match meaning {
        Meaning::Ours => say.pick(
            ("自社で使用しているものです", "目的と入手元を、下の欄にお書きください。"),
            ("It is ours", "Tell us below what it is for and where it came from."),
        ),
        Meaning::Unknown => say.pick(
            ("心当たりがありません", "社内で確認してもわからない場合も、こちらです。"),
            ("We do not know it", "Also when nobody you asked could tell."),
        ),
        Meaning::Other => say.pick(
            ("その他・一部だけわかる", "わかる範囲で、下の欄にお書きください。"),
            ("Something else, or only part of it", "Write what you know below."),
        ),
    }
}

fn form(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let refused = draft.refused.as_deref();
    html! {
        form.answer #answer method="post" action=(case.address()) {
            h2 { (say.pick("ご回答", "Your answer")) }
            @if let Some(refused) = refused { p.refused role="alert" { (refused) } }
            fieldset {
                legend.unseen { (say.pick("あてはまるもの", "Which one fits")) }
                @for meaning in Meaning::ALL {
                    @let (name, hint) = choice(meaning, say);
                    label.choice {
                        input type="radio" name="meaning" value=(value(meaning)) required checked[draft.meaning == Some(meaning)];
                        span { b { (name) } span.hint { (hint) } }
                    }
                }
            }
            label.words {
                span { (say.pick("どなたが・何のために・どこから入手したか", "Who, what for, and where from")) }
                textarea name="words" rows="6" placeholder=(say.pick(
                    "例：営業部の田中が、見積書の作成のために、取引先のサイトからダウンロードしました。保管・調査のための取得も差し支えありません。",
                    "For example: Tanaka of Sales downloaded it from a supplier's site to prepare a quotation. You may keep and collect it.",
                )) { (draft.words) }
            }
            button.primary { (say.pick("回答を送信する", "Send the answer")) }
            p.hint { (say.pick(
                "わかる範囲で結構です。送信後に内容を変更することはできません。",
                "Part of an answer is welcome. It cannot be changed after it is sent.",
            )) }
        }
    }
}

fn value(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Ours => "ours",
        Meaning::Unknown => "unknown",
        Meaning::Other => "other",
    }
}

// ── the answer ──────────────────────────────────────────────────────────────────────────────────────────────────────────

fn given(answered: &Answered<'_>, say: Say) -> Markup {
    let answer = answered.answer;
    let (choice, _) = choice(answer.meaning, say);
    html! {
        h1 role=[answered.sent.then_some("status")] {
            @if answered.sent { (say.pick("ご回答ありがとうございました", "Thank you for your answer")) }
            @else { (say.pick("回答済みです", "Answered")) }
        }
        section.given {
            p.choice { b { (choice) } }
            // The choice stands for itself when nothing was added.
            @if answer.words.for_matching() != choice { div.quote { (show::prose(&answer.words)) } }
            p.hint { (when(answer.at, say)) " · "
                @match &answered.by {
                    Some(name) => bdi { (name) },
                    None => { (say.pick("お電話・メールなどでのご回答を当方で記録", "taken down by us from your call or mail")) },
                }
            }
        }
    }
}

/// Somebody else was quicker: what the reader wrote must not vanish.
fn unsent(draft: &Draft, say: Say) -> Markup {
    html! {
        section.unsent role="alert" {
            p.refused { (say.pick(
                "この質問には先に回答がありました。上の内容が記録されています。いま入力された内容は送信されていません。\
                 追加や訂正は、メールへの返信でお知らせください。",
                "This question was answered already, as shown above. What you entered was not sent. To add or correct \
                 something, reply to our mail.",
            )) }
            @if let Some(meaning) = draft.meaning { p { b { (choice(meaning, say).0) } } }
            div.quote { (show::prose(&Untrusted::new(&draft.words))) }
        }
    }
}

fn next(case: &Case<'_>, answered: &Answered<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let told = incident.verdict_given.as_ref().filter(|v| v.at >= answered.answer.at).is_some();
    html! {
        section.next {
            h2 { @if told { (say.pick("結果", "Result")) } @else { (say.pick("これからの流れ", "What happens next")) } }
            @if answered.reopened {
                p { b { (say.pick(
                    "ご回答を受けて、終了していた本件の調査を再開しました。",
                    "The case had been closed. With your answer we have taken it up again.",
                )) } }
            }
            @if told {
                p { (say.pick("調査の結果（判定）：", "Our verdict: ")) b { (say.text(incident.verdict.text())) }
                    (say.pick("。詳しくは、お送りした報告をご覧ください。", ". See the report that we sent you.")) }
            } @else {
                ol {
                    li { (say.pick("分析担当者がご回答の内容を確認します。", "An analyst reads your answer.")) }
                    li { (say.pick("結論が出ましたら、いつもの連絡先（メールなど）にお知らせします。", "We tell you the result the way you always hear from us.")) }
                    li { (say.pick("それまで、隔離などの対処はそのまま続けます。", "Until then, whatever was contained stays contained.")) }
                }
                p.hint { (say.pick("いま、お客様にお願いすることはほかにありません。このページは閉じてかまいません。", "There is nothing else to do now. You can close this page.")) }
            }
        }
    }
}

fn when(at: Timestamp, say: Say) -> Markup {
    html! { time datetime=(show::machine(at)) title=(show::both_zones(at)) { (show::day(at, say)) } }
}
