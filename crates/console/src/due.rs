//! When something is due, and whether its clock runs, as one cell of a list. A clock that stands still shows the customer's
//! time to answer instead, and never the colours of our own lateness.

use domain::Timestamp;
use domain::clock::PauseReason;
use maud::{Markup, html};
use store::Promised;

use crate::say::Say;
use crate::{show, watch, words};

pub(crate) fn cell(promise: Option<Promised>, due: Option<Timestamp>, now: Timestamp, say: Say) -> Markup {
    match (promise, due) {
        (Some(Promised::NotCounted), _) => html! {
            span.due.paused title=(say.pick("導入時の初回フルスキャンのため、目標時間の対象外です。", "The storm of a first full-disk scan does not count against the service levels.")) {
                b { (say.pick("対象外", "Not counted")) }
            }
        },
        (Some(Promised::Paused { why, late, .. }), Some(at)) => html! {
            time.due.paused datetime=(show::machine(at)) title=(show::both_zones(at)) data-due {
                (watch::pause_sign()) b { (show::until(at, now, say)) }
                span { (say.text(words::paused(why))) " " (show::brief(at, now)) }
                @if late { (was_late(say)) }
            }
        },
        (Some(Promised::Paused { why, late, .. }), None) => html! {
            span.due.paused {
                (watch::pause_sign()) b { (say.pick("一時停止中", "Paused")) }
                span { (standing_still(why, say)) }
                @if late { (was_late(say)) }
            }
        },
        (Some(Promised::Running(kind)), Some(at)) => running(say.text(words::promise(kind)), at, now, say),
        (None, Some(at)) => running("", at, now, say),
        (Some(Promised::Running(_)) | None, None) => {
            html! { span.no-due { (say.pick("期限なし", "No due time")) } }
        }
    }
}

/// The class of whatever holds the cell.
pub(crate) fn state(promise: Option<Promised>, due: Option<Timestamp>, now: Timestamp) -> &'static str {
    match promise {
        Some(Promised::Paused { .. } | Promised::NotCounted) => "paused",
        Some(Promised::Running(_)) | None => due.map_or("", |at| show::urgency(at, now)),
    }
}

fn running(what: &str, at: Timestamp, now: Timestamp, say: Say) -> Markup {
    html! {
        time.due.(show::urgency(at, now)) datetime=(show::machine(at)) title=(show::both_zones(at)) data-due {
            b { (show::until(at, now, say)) }
            span { (what) " " (show::brief(at, now)) }
        }
    }
}

fn standing_still(why: PauseReason, say: Say) -> &'static str {
    match why {
        PauseReason::CustomerAnswer => say.pick("お客様の回答待ち", "For their answer"),
        PauseReason::CustomerHold => say.text(words::paused(why)),
    }
}

/// Its time was over before the clock stood still.
fn was_late(say: Say) -> Markup {
    html! { span.bad { (say.pick("停止前に目標超過", "Missed before")) } }
}
