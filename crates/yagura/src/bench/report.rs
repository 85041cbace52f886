//! Reports of different incidents, each in both languages, nothing kept between them but fonts and template.

use std::collections::BTreeMap;

use anyhow::ensure;
use domain::calendar::Calendar;
use domain::incident::{Command, Context, Incident, Recorded};
use domain::judgement::Verdict;
use domain::source::TimeSource as _;
use domain::tenant::{Names, Tenant};
use domain::{IncidentId, Language, PersonId, Untrusted};
use report::{Facts, Issuer, Renderer};

use super::peer::{Peer, Printer};
use super::{Figures, Stopwatch, ingest, monotonic};
use crate::source::MachineTime;

pub(super) fn measure(incidents: usize, peer: Option<Peer>) -> anyhow::Result<Figures> {
    let tenant = Tenant { connected: true, ..Tenant::offline("bench".parse()?) };
    let cases = cases(incidents, &tenant)?;
    let name = Names { ja: "やぐらSOC".into(), en: "Yagura SOC".into() };
    let issuer = Issuer { name, contact: None, people: BTreeMap::new() };
    let renderer = Renderer::new()?;
    let mut printer = peer.map(Printer::start).transpose()?;
    let mut digests = Vec::new();
    let mut watch = Stopwatch::start();
    for (incident, events) in &cases {
        for language in Language::ALL {
            let lap = monotonic();
            let options = report::Options { now: MachineTime.now(), issuer: &issuer };
            digests.push(renderer.incident(incident, events, &tenant, language, options)?.sha256());
            watch.lap(lap);
            if let Some(printer) = &mut printer {
                // In turns, so that a machine that slows down meanwhile slows both down.
                let facts = || Facts::of(incident, events, &tenant, language, options);
                watch.aside(|| printer.print(&report::html(&facts())))?;
            }
        }
    }
    let mut figures = watch.stop("report", digests.len())?;
    figures.peer = printer.map(Printer::stop).transpose()?;
    digests.sort();
    digests.dedup();
    ensure!(digests.len() == figures.items, "two reports were the same");
    Ok(figures)
}

/// Incidents of several kinds, each judged, worked and given a verdict.
fn cases(count: usize, tenant: &Tenant) -> anyhow::Result<Vec<(Incident, Vec<Recorded>)>> {
    let (calendar, analyst): (_, PersonId) = (Calendar::japan(), "bench.analyst".parse()?);
    let verdicts = [Verdict::TruePositive, Verdict::Suspicious, Verdict::FalsePositive];
    let mut cases = Vec::new();
    for (n, alert) in (1..).zip(ingest::alerts(count)?) {
        let context = Context { tenant, roster: &domain::oncall::NOBODY, calendar: &calendar, now: MachineTime.now() };
        let id = IncidentId { year: 2026, number: n };
        let (mut incident, mut events) = Incident::open(id, alert, None, Vec::new(), context);
        let reason = Untrusted::new(&format!(
            "分析の結果、対象ファイル {n} の挙動を確認しました。 The behaviour was confirmed."
        ));
        let verdict = verdicts[n as usize % verdicts.len()];
        let command = Command::GiveVerdict { by: analyst.clone(), verdict, reason };
        let more = incident.decide(command, context)?;
        more.iter().for_each(|entry| incident.apply(entry));
        events.extend(more);
        cases.push((incident, events));
    }
    Ok(cases)
}
