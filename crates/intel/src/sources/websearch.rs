//! Web search with Google's Programmable Search Engine: where an indicator is written about.
//!
//! One question is the value itself, in quotation marks. What is found stays text: no result is ever fetched, and a link is shown
//! only defanged (SEC-34, SEC-45). That something is written about says neither good nor bad.
//! Google takes no new customers for this interface and has announced its end for 1 January 2027; another engine would be another
//! module beside this one.

use domain::Untrusted;
use domain::ioc::{Gap, Ioc, Kind, Known, MAX_RAW_BYTES, Mention, Opinion, Outcome, Why};
use jiff::Timestamp;
use outbound::{Lane, Outbound, Rate, Request};
use serde_json::Value;

use super::config::WebSearchSettings;
use super::failure::{self, gap};
use super::{Found, PATIENCE, text_of};

/// As many as one question returns.
const MOST_MENTIONS: usize = 10;

#[derive(Debug)]
pub(crate) struct WebSearch {
    settings: WebSearchSettings,
    lane: Lane,
}

impl WebSearch {
    pub(crate) fn new(settings: WebSearchSettings) -> Self {
        let pace = settings.quota.per_minute;
        let lane = Lane::new("web search", Rate::per_minute(pace).burst(pace));
        Self { settings, lane }
    }

    pub(crate) fn takes(kind: Kind) -> bool {
        matches!(kind, Kind::Sha256 | Kind::Sha1 | Kind::Md5 | Kind::Domain | Kind::Url | Kind::Ip)
    }

    /// The key stands in the query, as this interface has it; the door shows no query, neither in errors nor in logs (SEC-11).
    pub(crate) async fn look_up(&self, outbound: &Outbound, ioc: &Ioc, now: Timestamp) -> Found {
        let value = ioc.value();
        if value.contains('"') {
            return Found::gap(gap(Why::Malformed, "it cannot be put in quotation marks"));
        }
        let question = format!("\"{value}\"");
        let Ok(mut url) = self.settings.at.origin.url("/customsearch/v1") else {
            return Found::gap(gap(Why::Rejected, "the origin makes no address"));
        };
        url.query_pairs_mut()
            .append_pair("key", self.settings.key.expose())
            .append_pair("cx", &self.settings.engine)
            .append_pair("q", &question)
            .append_pair("num", &MOST_MENTIONS.to_string());
        let request = Request::get(url, self.lane.clone())
            .header("accept", "application/json")
            .within(PATIENCE)
            .at_most(MAX_RAW_BYTES);
        match outbound.send(request, now).await {
            Ok(reply) => {
                let outcome = read(&reply.body, &question, &value).unwrap_or_else(Outcome::CouldNotAsk);
                Found { outcome, raw: text_of(&reply.body) }
            }
            Err(error) => refused(&error),
        }
    }
}

/// Google says 400 to a wrong key, and 403 or 429 when the quota is used up; its reasons tell them apart.
fn refused(error: &outbound::Error) -> Found {
    let outbound::Error::Status { excerpt, .. } = error else { return Found::gap(failure::sort(error, None)) };
    let raw = excerpt.for_matching();
    let said: Value = serde_json::from_str(raw).unwrap_or_default();
    let error_part = &said["error"];
    let reasons = error_part["errors"].as_array().into_iter().chain(error_part["details"].as_array()).flatten();
    let words: Vec<&str> = reasons.filter_map(|entry| entry["reason"].as_str()).filter(|word| is_word(word)).collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let sorted = failure::sort(error, words.first().copied());
    let why = if has(&["keyInvalid", "API_KEY_INVALID"]) {
        Why::KeyRefused
    } else if has(&["dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"]) {
        Why::QuotaUsed
    } else {
        sorted.why
    };
    // The excerpt may hold the address asked for, and with it the key: what came is kept only when it is an answer.
    Found { outcome: Outcome::CouldNotAsk(Gap { why, ..sorted }), raw: None }
}

fn is_word(word: &str) -> bool {
    word.len() <= 40 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn read(body: &[u8], question: &str, value: &str) -> Result<Outcome, Gap> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| gap(Why::NotUnderstood, &error.to_string()))?;
    if answer["queries"]["request"][0]["searchTerms"].as_str() != Some(question) {
        return Err(gap(Why::OtherObject, "it does not repeat what was searched for"));
    }
    let total = answer["searchInformation"]["totalResults"].as_str().and_then(|count| count.parse::<u64>().ok());
    let Some(total) = total else { return Err(gap(Why::NotUnderstood, "it does not say how many results there are")) };
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mentions: Vec<Mention> = items.iter().filter_map(|item| mention(item, value)).take(MOST_MENTIONS).collect();
    if mentions.is_empty() {
        // A number without a result is nothing that anybody could look at.
        let contradicts = total > 0 || !items.is_empty();
        return if contradicts {
            Err(gap(Why::NotUnderstood, "it has results but shows none"))
        } else {
            Ok(Outcome::NotKnown)
        };
    }
    Ok(Outcome::Known(Box::new(Known::of(Opinion::Mentions { total, mentions }))))
}

fn mention(item: &Value, value: &str) -> Option<Mention> {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let link = Untrusted::some(Some(text("link")))?;
    let value = value.to_ascii_lowercase();
    let names_it = ["title", "link", "snippet"].iter().any(|name| text(name).to_ascii_lowercase().contains(&value));
    Some(Mention { title: Untrusted::new(text("title")), link, snippet: Untrusted::new(text("snippet")), names_it })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(answer: &Value) -> Result<Outcome, Gap> {
        read(answer.to_string().as_bytes(), "\"evil.example\"", "evil.example")
    }

    fn answer(total: &Value, items: &Value) -> Value {
        json!({
            "queries": {"request": [{"searchTerms": "\"evil.example\""}]},
            "searchInformation": {"totalResults": total}, "items": items,
        })
    }

    #[test]
    fn results_are_bounded_text_and_those_that_name_the_value_are_told_apart() {
        let items: Vec<Value> = (0..50)
            .map(|n| json!({"title": "x".repeat(10_000), "link": format!("https://blog.example/{n}"), "snippet": if n == 0 { "C2 at Evil.Example" } else { "" }}))
            .collect();
        let Ok(Outcome::Known(known)) = said(&answer(&json!("12000"), &items.into())) else { panic!("not known") };
        let Opinion::Mentions { total: 12_000, mentions } = known.opinion else { panic!("no mentions") };
        assert_eq!(mentions.iter().filter(|m| m.names_it).count(), 1);
        assert_eq!(mentions.len(), MOST_MENTIONS);
        assert!(mentions[0].title.for_matching().len() <= domain::untrusted::MAX_BYTES);
    }

    #[test]
    fn only_an_answer_that_says_zero_means_nothing_was_found() {
        assert_eq!(said(&answer(&json!("0"), &json!(null))), Ok(Outcome::NotKnown));
        for unclear in [
            answer(&json!("7"), &json!(null)),
            answer(&json!("0"), &json!([{}])),
            answer(&json!(null), &json!(null)),
            answer(&json!(-1), &json!([])),
        ] {
            assert_eq!(said(&unclear).unwrap_err().why, Why::NotUnderstood, "{unclear}");
        }
        assert_eq!(said(&json!({})).unwrap_err().why, Why::OtherObject);
    }
}
