//! How single values are shown: times, spans, and text from outside.
//!
//! Times are JST with the UTC on hover. Foreign text comes out with deceiving characters visible (SEC-35) and kept apart, so
//! that no right-to-left name reorders its neighbours; escaping for HTML is maud's.

use domain::calendar::in_japan;
use domain::defang::{defang, defang_account};
use domain::{Timestamp, Untrusted};
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::say::Say;

/// Most lines and characters shown of one text that a person typed.
const MAX_LINES: usize = 60;
const MAX_LINE: usize = 1000;
/// Most characters of one text from outside that unfold.
const MAX_WHOLE: usize = 6000;

/// Text from outside in one line, at most `max` characters.
pub(crate) fn foreign(text: &Untrusted, max: usize) -> Markup {
    html! { bdi.foreign { (text.short(max)) } }
}

/// The whole of a text from outside, to be read as it is.
pub(crate) fn verbatim(text: &Untrusted) -> Markup {
    html! { bdi.verbatim { (text.quoted()) } }
}

/// Text from outside in one line, at most `max` characters, no address in it alive (SEC-34).
pub(crate) fn dead(text: &Untrusted, max: usize) -> Markup {
    html! { bdi.foreign { (cut(&defang(&text.quoted()), max)) } }
}

/// An account of the customer's, readable unless its name is also an address.
pub(crate) fn account(name: &Untrusted, max: usize) -> Markup {
    html! { bdi.foreign { (cut(&defang_account(&name.quoted()), max)) } }
}

/// Like `dead`, as code; what is longer than `max` folds, and unfolds to as much as a reader can use.
pub(crate) fn folded(text: &Untrusted, max: usize) -> Markup {
    let whole = defang(&text.quoted());
    html! {
        @if whole.chars().nth(max).is_none() {
            code { bdi.foreign { (whole) } }
        } @else {
            details.more {
                summary { code { bdi.foreign { (cut(&whole, max)) } } }
                code.whole { bdi.foreign { (cut(&whole, MAX_WHOLE)) } }
            }
        }
    }
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// A digest short enough for a line. The whole of it is there to be copied.
pub(crate) fn digest(sha256: &str) -> Markup {
    html! { code.digest title=(sha256) { (cut(sha256, 13)) } }
}

/// A text of several lines as a person typed it: their line breaks are meant, all other control characters are shown.
pub(crate) fn prose(text: &Untrusted) -> Markup {
    let mut all = text.for_matching().trim().lines();
    html! {
        @for line in all.by_ref().take(MAX_LINES) {
            p { bdi { (Untrusted::new(line.trim_end()).short(MAX_LINE)) } }
        }
        @if all.next().is_some() { p { "…" } }
    }
}

/// `14:05`, wall clock in Japan.
pub(crate) fn clock(at: Timestamp) -> String {
    let t = in_japan(at);
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// `14:05` today, `11-24 14:05` on other days.
pub(crate) fn brief(at: Timestamp, now: Timestamp) -> String {
    let t = in_japan(at);
    if t.date() == in_japan(now).date() { clock(at) } else { format!("{:02}-{:02} {}", t.month(), t.day(), clock(at)) }
}

/// `2026-11-24 14:05:09`, wall clock in Japan.
pub(crate) fn full(at: Timestamp) -> String {
    in_japan(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-27（金）10:00`, `Fri 2026-11-27 10:00 JST`: for people who plan by weekdays.
pub(crate) fn day(at: Timestamp, say: Say) -> String {
    const JA: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];
    let t = in_japan(at);
    // Monday is zero, and there are seven.
    let weekday = JA.get(usize::from(t.weekday().to_monday_zero_offset().unsigned_abs())).copied().unwrap_or_default();
    let (date, clock) = (t.strftime("%Y-%m-%d"), clock(at));
    say.pick(format!("{date}（{weekday}）{clock}"), format!("{} {date} {clock} JST", t.strftime("%a")))
}

/// What a pointer that rests on a time is told.
pub(crate) fn both_zones(at: Timestamp) -> String {
    format!("{} JST\n{} UTC", full(at), at.strftime("%Y-%m-%d %H:%M:%S"))
}

/// A moment as briefly as the day allows.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(machine(at)) title=(both_zones(at)) { (brief(at, now)) } }
}

/// A moment to the second.
pub(crate) fn second(at: Timestamp) -> Markup {
    html! { time datetime=(machine(at)) title=(both_zones(at)) { (full(at)) } }
}

/// RFC 3339 in UTC, to the millisecond, for scripts and exports.
pub(crate) fn machine(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// How long until `due`, or since. `watch.js` says the same in the same words as time passes.
pub(crate) fn until(due: Timestamp, now: Timestamp, say: Say) -> String {
    let left = due.duration_since(now);
    let said = span_minutes(left, say);
    if left.is_negative() { say.pick(format!("{said} 超過"), format!("{said} over")) } else { said }
}

/// Which of three states a due time is in; the class of whatever shows it.
pub(crate) fn urgency(due: Timestamp, now: Timestamp) -> &'static str {
    let left = due.duration_since(now);
    if left.is_negative() {
        "overdue"
    } else if left < AT_RISK {
        "at-risk"
    } else {
        "in-time"
    }
}

/// From here on a due time counts as at risk.
pub(crate) const AT_RISK: SignedDuration = SignedDuration::from_mins(15);

/// Whole minutes; the two greatest units.
fn span_minutes(span: SignedDuration, say: Say) -> String {
    let minutes = span.as_secs().unsigned_abs() / 60;
    let (d, h, m) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (d, h) {
        (0, 0) => say.pick(format!("{m}分"), format!("{m} min")),
        (0, _) => say.pick(format!("{h}時間{m:02}分"), format!("{h} h {m:02} min")),
        _ => say.pick(format!("{d}日{h}時間"), format!("{d} d {h} h")),
    }
}

/// The two greatest units of a span, down to seconds.
pub(crate) fn span(span: SignedDuration, say: Say) -> String {
    let s = span.as_secs().unsigned_abs();
    if s >= 3600 {
        return span_minutes(span, say);
    }
    let (m, s) = (s / 60, s % 60);
    match m {
        0 => say.pick(format!("{s}秒"), format!("{s} s")),
        _ => say.pick(format!("{m}分{s:02}秒"), format!("{m} min {s:02} s")),
    }
}

/// `12.4 KB`, in powers of 1024 as endpoints count.
pub(crate) fn bytes(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let n_f = n as f64;
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KB", n_f / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MB", n_f / 1_048_576.0),
        _ => format!("{:.1} GB", n_f / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use domain::Language;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_due_time_is_counted_down_and_then_up_in_both_languages() {
        let now = at("2026-11-24T00:00:00Z");
        for (due, ja, en, class) in [
            ("2026-11-24T00:12:30Z", "12分", "12 min", "at-risk"),
            ("2026-11-24T01:05:00Z", "1時間05分", "1 h 05 min", "in-time"),
            ("2026-11-26T03:00:00Z", "2日3時間", "2 d 3 h", "in-time"),
            ("2026-11-23T23:53:00Z", "7分 超過", "7 min over", "overdue"),
        ] {
            assert_eq!(until(at(due), now, Say(Language::Ja)), ja);
            assert_eq!(until(at(due), now, Say(Language::En)), en);
            assert_eq!(urgency(at(due), now), class);
        }
    }

    #[test]
    fn times_are_japanese_wall_clock_with_the_date_only_when_it_is_another_day() {
        let now = at("2026-11-24T00:00:00Z");
        assert_eq!(brief(at("2026-11-24T05:05:00Z"), now), "14:05");
        assert_eq!(brief(at("2026-11-24T15:05:00Z"), now), "11-25 00:05");
        assert_eq!(day(at("2026-11-27T01:00:00Z"), Say(Language::Ja)), "2026-11-27（金）10:00");
        assert_eq!(day(at("2026-11-29T15:00:00Z"), Say(Language::En)), "Mon 2026-11-30 00:00 JST");
        assert_eq!(both_zones(now), "2026-11-24 09:00:00 JST\n2026-11-24 00:00:00 UTC");
    }

    #[test]
    fn a_long_text_folds_and_no_address_in_it_is_alive_sec_34() {
        let long = Untrusted::new(&format!("curl https://evil.example/{}", "a".repeat(100)));
        let shown = folded(&long, 30).into_string();
        assert!(shown.contains("<summary>") && shown.contains(&"a".repeat(100)), "{shown}");
        assert!(shown.contains("hxxps[://]evil[.]example") && !shown.contains("evil.example"), "{shown}");
        assert!(!folded(&Untrusted::new("whoami"), 30).into_string().contains("details"));
        assert_eq!(dead(&long, 12).into_string(), "<bdi class=\"foreign\">curl hxxps[…</bdi>");
    }

    #[test]
    fn a_name_that_reads_backwards_is_shown_as_it_is_and_markup_stays_text_sec_30_sec_35() {
        let shown = foreign(&Untrusted::new("a\u{202e}<script>"), 80).into_string();
        assert_eq!(shown, "<bdi class=\"foreign\">a\\u{202e}&lt;script&gt;</bdi>");
    }
}
