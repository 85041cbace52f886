//! The sheet as it is read and printed: what is open, by when, and what somebody has to know who was not there.

use domain::action::{Action, State};
use domain::incident::Incident;
use domain::notice::{Delivery, Kind};
use domain::oncall::{Page, Why};
use domain::{PersonId, Timestamp, Untrusted};
use maud::{Markup, html};
use store::Promised;

use super::duty::{SiteDuty, Turn};
use super::{Facts, MAX_OPEN, Whose};
use crate::pages::incident::next_message;
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, due, show, watch};

/// The form that the boxes in the table belong to.
const FORM: &str = "giving";

pub(super) fn whole(app: &App, visitor: &Visitor, facts: &Facts<'_>, done: Option<&str>, refused: &[String]) -> Markup {
    let say = visitor.say();
    let sheet = Sheet { app, facts, say, me: visitor.id() };
    html! {
        article.hand-over {
            header.sheet-head {
                h1 { (say.pick("引き継ぎシート", "Hand-over sheet")) }
                p.hint { (show::second(facts.now)) " JST · " (say.pick("作成", "by")) " " (visitor.person.name) }
                (sheet.narrowing())
                button #print.quiet type="button" hidden { (say.pick("印刷", "Print")) }
            }
            @if let Some(done) = done { p.done role="status" { (done) } }
            @if !refused.is_empty() {
                div.refused role="alert" { @for why in refused { p { (why) } } }
            }
            (sheet.duty())
            section { (sheet.open()) }
            div.parts {
                (sheet.part(say.pick("約束の時刻を過ぎたご連絡", "Promised messages overdue"), sheet.broken_promises()))
                (sheet.part(say.pick("お客様の回答待ち", "Questions waiting"), sheet.questions()))
                (sheet.part(say.pick("承認待ちの対処", "Actions waiting for approval"), sheet.actions(|s| matches!(s, State::Proposed))))
                (sheet.part(say.pick("途中の対処", "Actions half done"), sheet.actions(State::is_running)))
                (sheet.part(say.pick("完了できなかった処理", "Jobs that gave up"), sheet.jobs()))
                (sheet.part(say.pick("SOC 内の呼び出し", "Calls within the SOC"), sheet.calls()))
                (sheet.part(say.pick("DFIR モード", "In DFIR mode"), sheet.dfir()))
            }
        }
    }
}

struct Sheet<'a> {
    app: &'a App,
    facts: &'a Facts<'a>,
    say: Say,
    me: &'a PersonId,
}

impl Sheet<'_> {
    fn narrowing(&self) -> Markup {
        let (say, facts) = (self.say, self.facts);
        let option = |whose: Whose, name: &str| {
            html! { option value=(whose.name()) selected[facts.whose == whose] { (name) } }
        };
        html! {
            form.filters method="get" action="/hand-over" {
                select name="who" aria-label=(say.pick("対象", "Whose")) {
                    (option(Whose::Everybody, say.pick("全員", "Everybody's")))
                    (option(Whose::Nobody, say.pick("未割り当て", "Unassigned")))
                    @for site in &self.app.engine().roster().sites {
                        (option(Whose::Site(site.id.clone()), say.names(&site.name)))
                    }
                    @for person in &facts.staff { (option(Whose::Person(person.id.clone()), &person.name)) }
                }
                button { (say.pick("表示する", "Show")) }
            }
        }
    }

    // ── who is there ────────────────────────────────────────────────────────────────────────────────────────────────

    fn duty(&self) -> Markup {
        let (say, duty) = (self.say, &self.facts.duty);
        html! {
            dl.duty {
                @for site in &duty.sites {
                    div {
                        dt { (say.names(&site.site.name)) }
                        dd { (self.site(site)) }
                    }
                }
                @if !duty.leads.is_empty() {
                    div {
                        dt { (say.pick("責任者", "Leads")) }
                        dd { p { (self.names(duty.leads.iter().map(|lead| &lead.person))) } }
                    }
                }
                @if duty.sites.is_empty() && duty.leads.is_empty() {
                    div { dt { (say.pick("当番", "On duty")) } dd { p.hint { (say.pick("当番表が設定されていません。", "No roster is configured.")) } } }
                }
            }
        }
    }

    fn site(&self, site: &SiteDuty<'_>) -> Markup {
        let say = self.say;
        html! {
            @for turn in &site.now {
                @let until = show::brief(turn.to, self.facts.now);
                p { b { (say.pick("現在", "Now")) } " " (self.turn(turn)) span.hint { (say.pick(format!(" ～{until}"), format!(", until {until}"))) } }
            }
            @if site.now.is_empty() { p.hint { (say.pick("現在の当番なし", "Nobody on duty now")) } }
            @for turn in &site.next {
                p.hint {
                    (say.pick("次", "Next")) " " (self.turn(turn))
                    @let from = show::brief(turn.from, self.facts.now);
                    (say.pick(format!(" {from}～"), format!(", from {from}")))
                }
            }
        }
    }

    fn turn(&self, turn: &Turn<'_>) -> String {
        self.names(turn.shift.people.iter().map(|on_call| &on_call.person))
    }

    fn names<'n>(&self, people: impl Iterator<Item = &'n PersonId>) -> String {
        let names: Vec<String> = people.map(|id| self.facts.person(id)).collect();
        names.join(self.say.pick("、", ", "))
    }

    // ── what is open ────────────────────────────────────────────────────────────────────────────────────────────────

    fn open(&self) -> Markup {
        let (say, facts) = (self.say, self.facts);
        let unseen = matches!(facts.whose, Whose::Person(_) | Whose::Site(_)) && facts.unassigned > 0;
        html! {
            h2 { (say.pick("対応中のインシデント（期限順）", "Open incidents, due next first")) " " span.n { (facts.open.len()) @if facts.cut { "+" } } }
            @if facts.cut {
                p.refused { (say.pick(
                    format!("期限の近い {MAX_OPEN} 件だけを載せています。対象を絞り込んでください。"),
                    format!("Only the first {MAX_OPEN} are on this sheet. Narrow it down."),
                )) }
            }
            @if unseen {
                p { a href=(Whose::Nobody.address()) { (say.pick(
                    format!("このほかに未割り当てが {} 件あります", facts.unassigned),
                    format!("{} more have nobody", facts.unassigned),
                )) } }
            }
            @if facts.open.is_empty() {
                p.empty { (say.pick("対応中のインシデントはありません。", "No open incidents.")) }
            } @else {
                table.queue {
                    thead { tr {
                        th.c-check scope="col" { input #all type="checkbox" hidden aria-label=(say.pick("すべて選ぶ", "Choose all")); }
                        th.c-p scope="col" { span.unseen { (say.pick("優先度", "Priority")) } }
                        th.c-due scope="col" { (say.pick("期限", "Due")) }
                        th.c-next scope="col" title=(say.pick("お客様に約束した次回のご連絡", "When the customer was promised to hear from us")) { (say.pick("次回連絡", "Next word")) }
                        th.c-id scope="col" { (say.pick("番号", "Number")) }
                        th.c-title scope="col" { (say.pick("内容", "What")) }
                        th.c-tenant scope="col" { (say.pick("お客様", "Customer")) }
                        th.c-phase scope="col" { (say.pick("状況", "Phase")) }
                        th.c-who scope="col" { (say.pick("担当", "Assigned")) }
                    } }
                    tbody { @for incident in &facts.open { (self.row(incident)) } }
                }
                (self.giving())
            }
        }
    }

    fn row(&self, incident: &Incident) -> Markup {
        let (say, now) = (self.say, self.facts.now);
        let (promise, at) = (Promised::of(incident), incident.next_due());
        let host = incident.alerts.first().map(|alert| &alert.endpoint.name);
        html! {
            tr class=(due::state(promise, at, now)) {
                td.c-check { input type="checkbox" form=(FORM) name="incident" value=(incident.id) aria-label=(incident.id); }
                td.c-p { (watch::mark(incident.priority())) span { (incident.priority().name()) } }
                td.c-due { (due::cell(promise, at, now, say)) }
                td.c-next {
                    @if let Some(at) = next_word(incident) {
                        time.overdue[at < now] datetime=(show::machine(at)) title=(show::both_zones(at)) { b { (show::brief(at, now)) } }
                    }
                }
                td.c-id { (link(incident)) }
                td.c-title {
                    div.name { @if incident.dfir { span.flag { "DFIR" } " " } (show::foreign(&incident.title, 90)) }
                    div.rule { @if let Some(host) = host { (show::foreign(host, 32)) } @if incident.hosts.len() > 1 { " +" (incident.hosts.len() - 1) } }
                }
                td.c-tenant { (self.customer(incident)) }
                td.c-phase { (say.text(incident.phase.text())) }
                td.c-who {
                    @match &incident.assigned {
                        Some(id) => { span.who.me[id == self.me] { (self.facts.person(id)) } }
                        None => { span.who.nobody { (say.pick("なし", "nobody")) } }
                    }
                    @if incident.assigned.as_ref() != Some(self.me) {
                        button.small form=(FORM) name="take" value=(incident.id) formnovalidate { (say.pick("引き受ける", "Take over")) }
                    }
                }
            }
        }
    }

    fn giving(&self) -> Markup {
        let (say, facts) = (self.say, self.facts);
        let next = facts.duty.next_person().map(|on_call| &on_call.person);
        html! {
            form.giving #(FORM) method="post" action="/hand-over" {
                input type="hidden" name="who" value=(facts.whose.name());
                label { (say.pick("選んだインシデントを", "Hand the chosen ones over to")) " "
                    select name="to" { @for person in facts.staff.iter().filter(|p| p.id != *self.me) {
                        option value=(person.id) selected[next == Some(&person.id)] { (person.name) }
                    } }
                    @let after = say.pick(" さんに", "");
                    (after)
                }
                button.primary { (say.pick("引き継ぐ", "Hand over")) }
                span.hint { (say.pick("担当が変わり、計時の状態が内部の記録に残ります。", "Assigns them, and notes the state of each clock internally.")) }
            }
        }
    }

    // ── what else there is to know ──────────────────────────────────────────────────────────────────────────────────

    /// One part of the sheet. An empty one says so: it was looked at.
    fn part(&self, title: &str, lines: Vec<Markup>) -> Markup {
        html! {
            section {
                h2 { (title) " " span.n { (lines.len()) } }
                @if lines.is_empty() { p.empty { (self.say.pick("なし", "None")) } }
                ul { @for line in lines { li { (line) } } }
            }
        }
    }

    fn broken_promises(&self) -> Vec<Markup> {
        let promised = self.facts.open.iter().filter_map(|i| Some((next_word(i)?, i)));
        let mut over: Vec<_> = promised.filter(|(at, _)| *at < self.facts.now).collect();
        over.sort_by_key(|(at, incident)| (*at, incident.id));
        let line = |(at, incident): (Timestamp, &Incident)| {
            html! {
                (self.countdown(at)) " " (show::moment(at, self.facts.now)) " " (link(incident)) " "
                (self.customer(incident)) " · " (title(incident))
            }
        };
        over.into_iter().map(line).collect()
    }

    fn questions(&self) -> Vec<Markup> {
        let (say, now) = (self.say, self.facts.now);
        let waiting = self.facts.open.iter().filter_map(|i| Some((i.waiting_question()?, i)));
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_by_key(|(question, _)| question.deadline().unwrap_or(Timestamp::MAX));
        let line = |(question, incident): (&domain::question::Question, &Incident)| {
            html! {
                @match question.deadline() {
                    Some(at) => { (self.countdown(at)) " " (show::moment(at, now)) }
                    None => { span.bad { (say.pick("お客様に未到達", "not delivered")) } }
                }
                " " (link(incident)) " " (question.id) " · " (self.customer(incident)) " · " (title(incident))
                @if let Some(hours) = question.reminded {
                    span.hint { " · " (say.pick(format!("{hours}時間後の催促済み"), format!("reminded after {hours} h"))) }
                }
            }
        };
        waiting.into_iter().map(line).collect()
    }

    fn actions(&self, of: impl Fn(&State) -> bool) -> Vec<Markup> {
        let (say, now) = (self.say, self.facts.now);
        let all = self.facts.open.iter().flat_map(|i| i.actions.values().map(move |action| (i, action)));
        let wanted = all.filter(|(_, action)| of(&action.state));
        let line = |(incident, action): (&Incident, &Action)| {
            html! {
                (show::moment(action.sent_at.unwrap_or(action.decided_at), now)) " " (link(incident)) " "
                b { (say.text(action.kind.text())) } " · " (show::foreign(&action.target.endpoint, 40)) " · "
                span.bad[matches!(action.state, State::Unknown { .. })] { (say.text(action.state.text())) }
            }
        };
        wanted.map(line).collect()
    }

    /// Of every incident that the reader may see, whoever has it: nobody in particular looks after them.
    fn jobs(&self) -> Vec<Markup> {
        let line = |job: &store::DeadJob| {
            html! {
                (show::moment(job.at, self.facts.now)) " " a href=(format!("/incidents/{}", job.incident)) { (job.incident) } " "
                span.bad { (show::foreign(&Untrusted::new(&job.why), 160)) }
            }
        };
        self.facts.jobs.iter().map(line).collect()
    }

    /// The calls of the shift before and this one, whether or not the incident is still open.
    fn calls(&self) -> Vec<Markup> {
        let since = self.facts.duty.looks_back_to();
        let all = self.facts.called.iter().flat_map(|i| i.pages.values().map(move |page| (page.decided_at, i, page)));
        let mut calls: Vec<_> = all.filter(|(at, ..)| *at >= since).collect();
        calls.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        calls.into_iter().map(|(_, incident, page)| self.call(incident, page)).collect()
    }

    fn call(&self, incident: &Incident, page: &Page) -> Markup {
        let (say, now) = (self.say, self.facts.now);
        let taken = incident.acknowledged.as_ref().filter(|a| a.at >= page.decided_at);
        html! {
            (show::moment(page.decided_at, now)) " " (link(incident)) " "
            @match &page.to {
                Some(to) => { b { (self.facts.person(&to.person)) } }
                None => { span.bad { (say.pick("当番表に該当者なし", "nobody on the roster")) } }
            }
            " · " (say.text(page.step.text()))
            @if matches!(page.delivery, Delivery::Failed { .. }) { " · " span.bad { (say.pick("送信失敗", "not delivered")) } }
            @if matches!(page.why, Why::CustomerNotReached(_)) {
                " · " (say.pick("お客様に連絡が未到達", "the customer was not reached"))
            } @else if let Some(taken) = taken {
                " · " (say.pick("受領", "taken by")) " " (self.facts.person(&taken.by)) " " (show::moment(taken.at, now))
            } @else if incident.acknowledged.is_none() {
                " · " span.bad { (say.pick("まだ誰も受領していません", "nobody has taken it")) }
            }
        }
    }

    fn dfir(&self) -> Vec<Markup> {
        let grave = self.facts.open.iter().filter(|incident| incident.dfir);
        let line = |incident: &Incident| {
            let lead = incident.assigned.as_ref().map(|id| self.facts.person(id));
            html! {
                (link(incident)) " " (self.customer(incident)) " · " (title(incident)) " · "
                @match lead {
                    Some(lead) => { (self.say.pick("担当", "with")) " " b { (lead) } }
                    None => { span.bad { (self.say.pick("担当なし", "nobody has it")) } }
                }
            }
        };
        grave.map(line).collect()
    }

    fn countdown(&self, at: Timestamp) -> Markup {
        let (say, now) = (self.say, self.facts.now);
        html! {
            time.(show::urgency(at, now)) datetime=(show::machine(at)) title=(show::both_zones(at)) data-due { b { (show::until(at, now, say)) } }
        }
    }

    fn customer(&self, incident: &Incident) -> String {
        let tenant = self.app.engine().tenant(&incident.tenant);
        tenant.map_or_else(|| incident.tenant.to_string(), |t| self.say.names(&t.name).to_owned())
    }
}

/// When the customer was promised to hear from us: that is not the end of their own time to answer.
fn next_word(incident: &Incident) -> Option<Timestamp> {
    let last = incident.notices.values().next_back()?;
    next_message(incident).filter(|_| !matches!(last.kind, Kind::Question | Kind::Reminder))
}

fn link(incident: &Incident) -> Markup {
    html! { a href=(format!("/incidents/{}", incident.id)) { (incident.id) } }
}

fn title(incident: &Incident) -> Markup {
    show::foreign(&incident.title, 48)
}
