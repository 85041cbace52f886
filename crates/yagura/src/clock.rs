//! Proves a due time: `yagura clock due` goes through the same calendar as every incident and says each step of the way.
//!
//! It needs no store and, for a provider with the usual closed days, no configuration, so a customer can repeat it. Pauses of an incident's clock are not known here.

use domain::Timestamp;
use domain::calendar::{Calendar, Explained, Hours, Step, What, in_japan, jst};
use jiff::civil::DateTime;
use serde::Serialize;

use crate::output::{say, say_json};

/// A year around the clock; no contract promises more.
pub(crate) const MOST_MINUTES: i64 = 366 * 24 * 60;

pub(crate) fn due(calendar: &Calendar, start: Timestamp, minutes: i64, hours: Hours, json: bool) -> anyhow::Result<()> {
    let explained = calendar.explain(start, minutes, hours)?;
    if json {
        return say_json(&Answer::new(&explained));
    }
    let counted = match hours {
        Hours::Business => "business minutes (Monday to Friday 09:00-18:00 JST)".to_owned(),
        Hours::Always => "minutes around the clock".to_owned(),
        Hours::Own(_) => format!("minutes of {hours} JST"),
    };
    say(&format!("{minutes} {counted} from {} JST", for_people(start)));
    for step in &explained.steps {
        say(&format!("  {} - {}  {}", for_people(step.from), for_people(step.to), words(step)));
    }
    say(&format!("due {} JST", for_people(explained.due)));
    Ok(())
}

/// A time as it is typed. An offset is required, for a due time in the wrong zone is wrong by hours.
pub(crate) fn start(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| match text.parse::<DateTime>() {
        Ok(at) => format!("it has no offset; write `{at}+09:00` for Japan or `{at}Z` for UTC"),
        Err(_) => "it is not a time; write it as `2026-09-18T17:30:00+09:00`".to_owned(),
    })
}

#[derive(Serialize)]
struct Answer {
    due: String,
    steps: Vec<Stretch>,
}

#[derive(Serialize)]
struct Stretch {
    from: String,
    to: String,
    seconds: i64,
    #[serde(flatten)]
    what: What,
}

impl Answer {
    fn new(explained: &Explained) -> Self {
        let stretch = |step: &Step| Stretch {
            from: in_jst(step.from),
            to: in_jst(step.to),
            seconds: step.lasts().as_secs(),
            what: step.what,
        };
        Self { due: in_jst(explained.due), steps: explained.steps.iter().map(stretch).collect() }
    }
}

fn words(step: &Step) -> String {
    match step.what {
        What::Counted => format!("counted {} s", step.lasts().as_secs()),
        What::Holiday { name } => format!("skipped: national holiday {name}"),
        What::ClosedDay => "skipped: closed day of the provider".to_owned(),
        What::Weekend => "skipped: weekend".to_owned(),
        What::Night => "skipped: outside business hours".to_owned(),
    }
}

fn in_jst(at: Timestamp) -> String {
    at.display_with_offset(jst().to_offset(at)).to_string()
}

fn for_people(at: Timestamp) -> String {
    in_japan(at).strftime("%a %Y-%m-%d %H:%M:%S").to_string()
}
