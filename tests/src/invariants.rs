//! What must hold at every instant, whatever happened. The far sides' ledgers judge; our own records are only asked what
//! they say.

use std::collections::{BTreeMap, BTreeSet};

use domain::action::{Action, Kind, State};
use domain::incident::{Event, Incident, Recorded};
use domain::{ActionId, AlertId, IncidentId, TenantId, Timestamp};
use s1sim::Ledger;
use sinks::mail::Mail;
use store::Scope;

use crate::{TestSoc, customers};

/// Every violation in words.
pub(crate) async fn violations(soc: &TestSoc, copies_allowed: bool) -> Vec<String> {
    let records = Records::load(soc).await;
    let ledger = soc.sim.ledger();
    let mut found = Vec::new();
    found.extend(records.clocks_not_proved(soc));
    found.extend(records.not_the_fold_of_events());
    found.extend(records.seen_by_others(soc).await);
    found.extend(broken_chains(soc).await);
    found.extend(lost_or_doubled_alerts(soc, &records, &ledger).await);
    found.extend(done_without_authority(&records, &ledger));
    found.extend(done_twice(&ledger));
    found.extend(notes_twice(soc, &ledger));
    if !copies_allowed {
        found.extend(soc.mail.doubled().into_iter().map(|id| format!("mail `{id}` reached somebody twice")));
    }
    found.extend(soc.mail.messages().iter().flat_map(|mail| wrong_mailbox(mail, &records)));
    found
}

/// All incidents as stored, each with its events.
struct Records(Vec<(Incident, Vec<Recorded>)>);

impl Records {
    async fn load(soc: &TestSoc) -> Self {
        let mut all = Vec::new();
        for incident in soc.incidents().await {
            let events = soc.engine.store().events(&incident.tenant, incident.id).await.unwrap();
            all.push((incident, events));
        }
        Self(all)
    }

    fn not_the_fold_of_events(&self) -> Vec<String> {
        let differs = |(incident, events): &&(Incident, Vec<Recorded>)| {
            Incident::replay(&incident.tenant, incident.id, events).as_ref() != Some(incident)
        };
        self.0.iter().filter(differs).map(|(i, _)| format!("{} is not the fold of its events", i.id)).collect()
    }

    /// Every clock, once more from the events alone.
    fn clocks_not_proved(&self, soc: &TestSoc) -> Vec<String> {
        let mut found = Vec::new();
        for (incident, events) in &self.0 {
            let calendar = soc.engine.calendar();
            match domain::clock::prove(&incident.tenant, incident.id, events, calendar, soc.now()) {
                Ok(cycles) => found.extend(
                    cycles
                        .into_iter()
                        .flat_map(|c| c.differences)
                        .map(|d| format!("the clocks of {}: {d}", incident.id)),
                ),
                Err(error) => found.push(format!("{}: {error}", incident.id)),
            }
        }
        found
    }

    async fn seen_by_others(&self, soc: &TestSoc) -> Vec<String> {
        let mut found = Vec::new();
        for (incident, _) in &self.0 {
            let others = soc.engine.tenants().map(|t| t.id.clone()).filter(|id| *id != incident.tenant).collect();
            if soc.engine.store().incident(&Scope::Only(others), incident.id).await.unwrap().is_some() {
                found.push(format!("{} of {} is seen by other tenants (SEC-02)", incident.id, incident.tenant));
            }
        }
        found
    }

    /// In which incidents an alert was received or joined, once for each time.
    fn places(&self) -> BTreeMap<(TenantId, AlertId), Vec<IncidentId>> {
        let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (incident, events) in &self.0 {
            for recorded in events {
                if let Event::Received { alert, .. } | Event::AlertJoined { alert, .. } = &recorded.event {
                    places.entry((incident.tenant.clone(), alert.id.clone())).or_default().push(incident.id);
                }
            }
        }
        places
    }

    /// The action of a tenant that aims `word` at `target`, with when its authority and its intent were recorded.
    fn authority(&self, tenant: &str, word: &str, target: &str) -> Option<Authority> {
        let mine = self.0.iter().filter(|(incident, _)| incident.tenant.as_str() == tenant);
        mine.flat_map(|(incident, events)| {
            let aims = move |action: &&Action| console_word(action.kind) == word && console_target(action) == target;
            incident.actions.values().filter(aims).map(|action| Authority::of(action.id, events))
        })
        .find(|authority| authority.pre_authorised)
    }
}

struct Authority {
    pre_authorised: bool,
    intended_at: Option<Timestamp>,
}

impl Authority {
    fn of(id: ActionId, events: &[Recorded]) -> Self {
        let decided = |event: &Event| matches!(event, Event::ActionDecided { action } if action.id == id && action.state == State::PreAuthorised);
        let intended = |event: &Event| matches!(event, Event::ActionIntended { action } if *action == id);
        Self {
            pre_authorised: events.iter().any(|r| decided(&r.event)),
            intended_at: events.iter().find(|r| intended(&r.event)).map(|r| r.at),
        }
    }
}

async fn broken_chains(soc: &TestSoc) -> Vec<String> {
    let audit = soc.engine.store().verify_audit(None).await.unwrap();
    audit.faults.iter().map(ToString::to_string).collect()
}

/// REL-03: what was raised is in exactly one incident. What a console shows only later is not missed before then.
async fn lost_or_doubled_alerts(soc: &TestSoc, records: &Records, ledger: &Ledger) -> Vec<String> {
    let places = records.places();
    let mut found = Vec::new();
    for raised in &ledger.raised {
        let key: (TenantId, AlertId) = (raised.site.parse().unwrap(), raised.threat_id.parse().unwrap());
        let stored = soc.engine.store().incident_of(&key.0, &key.1).await.unwrap();
        match (places.get(&key).map(Vec::as_slice), stored) {
            (Some([place]), Some(stored)) if *place == stored => {}
            (None, None) if raised.visible_at.is_some_and(|at| at > soc.now()) => {}
            // An unanswered poll is the test's to notice; nothing is lost as long as the next one brings it.
            (None, None) if soc.has_failed_polls() => {}
            (events, row) => found.push(format!(
                "alert {} of {} belongs to exactly one incident (REL-03): events {events:?}, stored {row:?}",
                raised.threat_id, raised.site
            )),
        }
    }
    found
}

/// No containment without authority: what took effect on the console was decided in advance, and intended before.
fn done_without_authority(records: &Records, ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    for done in &ledger.done {
        let contains = matches!(done.action.as_str(), "kill" | "quarantine" | "disconnect");
        let harmless = matches!(done.action.as_str(), "incident" | "analyst-verdict" | "note");
        for target in done.targets.iter().filter(|target| target.effective && !harmless) {
            let tenant = ledger.raised.iter().find(|r| r.site_id == target.site_id).map_or("", |r| r.site.as_str());
            let authority = records.authority(tenant, &done.action, &target.id).filter(|_| contains);
            let intended = authority.and_then(|authority| authority.intended_at);
            if intended.is_none_or(|at| at > done.at) {
                found.push(format!("{} of {} at {} had no authority", done.action, target.id, done.at));
            }
        }
    }
    found
}

fn done_twice(ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    for done in ledger.done.iter().filter(|done| matches!(done.action.as_str(), "kill" | "quarantine" | "disconnect")) {
        for target in done.targets.iter().filter(|target| target.told_effectively > 1) {
            found
                .push(format!("{} of {} was told to effect {} times", done.action, target.id, target.told_effectively));
        }
    }
    found
}

/// Our notes begin with a mark; the same mark stands on the console once.
fn notes_twice(soc: &TestSoc, ledger: &Ledger) -> Vec<String> {
    let mut marks = BTreeSet::new();
    let mut found = Vec::new();
    for raised in &ledger.raised {
        for note in soc.sim.notes(&raised.threat_id) {
            let text = note["text"].as_str().unwrap_or_default();
            let mark = text.split_once(']').map_or(text, |(mark, _)| mark).to_owned();
            if !marks.insert(mark.clone()) {
                found.push(format!("note `{mark}]` stands twice on the console, on {}", raised.threat_id));
            }
        }
    }
    found
}

/// SEC-04, SEC-03: a mail goes to registered addresses of one customer and names nothing of another.
fn wrong_mailbox(mail: &Mail, records: &Records) -> Vec<String> {
    let owner = |address: &str| customers::ALL.into_iter().find(|c| address.ends_with(&format!("@{c}.example")));
    let owners: BTreeSet<_> = mail.to.iter().map(|address| owner(address)).collect();
    if is_call(mail, records) {
        return Vec::new();
    }
    let [Some(customer)] = owners.iter().copied().collect::<Vec<_>>()[..] else {
        return vec![format!("mail {} `{}` goes to {:?}", mail.number, mail.subject, mail.to)];
    };
    let written = [Some(mail.subject.as_str()), mail.text.as_deref(), mail.html.as_deref()];
    let written = written.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let others = customers::ALL.into_iter().filter(|c| *c != customer);
    let mut foreign: Vec<String> = others.flat_map(|c| [c.to_owned(), customers::host_prefix(c).to_owned()]).collect();
    let theirs = records.0.iter().filter(|(incident, _)| incident.tenant.as_str() != customer);
    foreign
        .extend(theirs.flat_map(|(i, _)| {
            i.alerts.iter().map(|a| a.id.to_string()).chain([i.id.to_string()]).collect::<Vec<_>>()
        }));
    let named = foreign.iter().filter(|word| written.contains(*word));
    named.map(|word| format!("mail {} to {customer} names `{word}` of another", mail.number)).collect()
}

/// A call goes to the person whom the incident names, and to nobody else.
fn is_call(mail: &Mail, records: &Records) -> bool {
    let called = |incident: &Incident| {
        let called: BTreeSet<&str> =
            incident.pages.values().filter_map(|p| Some(p.to.as_ref()?.email.as_str())).collect();
        mail.to.len() == 1
            && mail.to.iter().all(|to| called.contains(to.as_str()))
            && mail.subject.contains(&incident.id.to_string())
    };
    records.0.iter().any(|(incident, _)| called(incident))
}

fn console_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Kill => "kill",
        Kind::Quarantine => "quarantine",
        Kind::Isolate => "disconnect",
    }
}

fn console_target(action: &Action) -> String {
    action.target.alert.as_ref().map_or_else(|| action.target.agent.to_string(), ToString::to_string)
}
