//! What Slack lets into a message: the kinds of blocks our page can show, and their published limits.
//! Others exist (inputs, rich text, tables, menus); they are refused here so that nobody believes they were shown.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const MAX_BLOCKS: usize = 50;
/// All text of a message together. Slack publishes no such limit and refuses messages of a little more than this.
const MAX_CHARACTERS: usize = 11_000;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// What is wrong where, in Slack's manner: `must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
    Invalid(Vec<String>),
    TooLong,
}

pub(super) fn check(blocks: &[Value]) -> Result<(), Flaw> {
    let mut check = Check::default();
    if blocks.len() > MAX_BLOCKS {
        check.flaw(&format!("no more than {MAX_BLOCKS} items allowed"), "/blocks");
    }
    for (index, value) in blocks.iter().enumerate() {
        check.block(value, &format!("/blocks/{index}"));
    }
    if !check.flaws.is_empty() {
        return Err(Flaw::Invalid(check.flaws));
    }
    if check.characters > MAX_CHARACTERS { Err(Flaw::TooLong) } else { Ok(()) }
}

#[derive(Debug, Default)]
struct Check {
    flaws: Vec<String>,
    characters: usize,
    block_ids: BTreeSet<String>,
    action_ids: BTreeSet<String>,
}

const PLAIN: &[&str] = &["plain_text"];
const EITHER: &[&str] = &["plain_text", "mrkdwn"];

impl Check {
    fn flaw(&mut self, what: &str, at: &str) {
        self.flaws.push(format!("{what} [json-pointer:{at}]"));
    }

    fn block(&mut self, value: &Value, at: &str) {
        let Some(block) = value.as_object() else { return self.flaw("must be an object", at) };
        match block.get("type").and_then(Value::as_str) {
            Some("header") => {
                self.only(block, &["text"], at);
                self.required_text(block, "text", 150, PLAIN, at);
            }
            Some("section") => self.section(block, at),
            Some("context") => {
                self.only(block, &["elements"], at);
                for (element, at) in self.items(block, "elements", 10, at) {
                    if element["type"] == "image" {
                        self.picture(element, &at);
                    } else {
                        self.text(element, 3_000, EITHER, &at);
                    }
                }
            }
            Some("actions") => {
                self.only(block, &["elements"], at);
                for (element, at) in self.items(block, "elements", 25, at) {
                    self.button(element, &at);
                }
            }
            Some("image") => {
                self.only(block, &["image_url", "alt_text", "title"], at);
                self.string(block, "image_url", 3_000, true, at);
                self.string(block, "alt_text", 2_000, true, at);
                if block.contains_key("title") {
                    self.required_text(block, "title", 2_000, PLAIN, at);
                }
            }
            Some("divider") => self.only(block, &[], at),
            other => self.flaw(&format!("unsupported type: {}", other.unwrap_or("none")), &format!("{at}/type")),
        }
        self.string(block, "block_id", 255, false, at);
        if let Some(id) = block.get("block_id").and_then(Value::as_str)
            && !self.block_ids.insert(id.to_owned())
        {
            self.flaw("block_id is used twice", &format!("{at}/block_id"));
        }
    }

    fn section(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["text", "fields", "accessory", "expand"], at);
        if !block.contains_key("text") && !block.contains_key("fields") {
            self.flaw("missing required field: text or fields", at);
        }
        if block.contains_key("text") {
            self.required_text(block, "text", 3_000, EITHER, at);
        }
        if block.contains_key("fields") {
            for (field, at) in self.items(block, "fields", 10, at) {
                self.text(field, 2_000, EITHER, &at);
            }
        }
        if let Some(accessory) = block.get("accessory") {
            let at = format!("{at}/accessory");
            if accessory["type"] == "image" { self.picture(accessory, &at) } else { self.button(accessory, &at) }
        }
    }

    fn required_text(&mut self, owner: &Map<String, Value>, name: &str, limit: usize, kinds: &[&str], at: &str) {
        match owner.get(name) {
            Some(text) => self.text(text, limit, kinds, &format!("{at}/{name}")),
            None => self.flaw(&format!("missing required field: {name}"), at),
        }
    }

    /// A text object, whose length is counted in characters.
    fn text(&mut self, value: &Value, limit: usize, kinds: &[&str], at: &str) {
        let Some(object) = value.as_object() else { return self.flaw("must be a text object", at) };
        let kind = object.get("type").and_then(Value::as_str).unwrap_or("none");
        if !kinds.contains(&kind) {
            return self.flaw(&format!("unsupported type: {kind}"), &format!("{at}/type"));
        }
        self.only(object, if kind == "mrkdwn" { &["text", "verbatim"] } else { &["text", "emoji"] }, at);
        self.string(object, "text", limit, true, at);
        self.characters += object.get("text").and_then(Value::as_str).map_or(0, |text| text.chars().count());
    }

    fn button(&mut self, value: &Value, at: &str) {
        let Some(button) = value.as_object() else { return self.flaw("must be an object", at) };
        let kind = button.get("type").and_then(Value::as_str).unwrap_or("none");
        if kind != "button" {
            return self.flaw(&format!("unsupported type: {kind}"), &format!("{at}/type"));
        }
        self.only(button, &["text", "action_id", "url", "value", "style", "confirm", "accessibility_label"], at);
        self.required_text(button, "text", 75, PLAIN, at);
        for (name, limit) in [("action_id", 255), ("url", 3_000), ("value", 2_000), ("accessibility_label", 75)] {
            self.string(button, name, limit, false, at);
        }
        if button.get("style").is_some_and(|style| style != "primary" && style != "danger") {
            self.flaw("must be one of primary, danger", &format!("{at}/style"));
        }
        if let Some(id) = button.get("action_id").and_then(Value::as_str)
            && !self.action_ids.insert(id.to_owned())
        {
            self.flaw("action_id is used twice", &format!("{at}/action_id"));
        }
    }

    fn picture(&mut self, value: &Value, at: &str) {
        let Some(picture) = value.as_object() else { return self.flaw("must be an object", at) };
        self.only(picture, &["image_url", "alt_text"], at);
        self.string(picture, "image_url", 3_000, true, at);
        self.string(picture, "alt_text", 2_000, true, at);
    }

    fn string(&mut self, owner: &Map<String, Value>, name: &str, limit: usize, required: bool, at: &str) {
        let place = format!("{at}/{name}");
        match owner.get(name) {
            None if required => self.flaw(&format!("missing required field: {name}"), at),
            None => {}
            Some(Value::String(text)) => match text.chars().count() {
                0 => self.flaw("must be more than 0 characters", &place),
                length if length > limit => self.flaw(&format!("must be less than {} characters", limit + 1), &place),
                _ => {}
            },
            Some(_) => self.flaw("must be a string", &place),
        }
    }

    /// The items of a list that may not be empty, each with its place.
    fn items<'a>(
        &mut self,
        owner: &'a Map<String, Value>,
        name: &str,
        limit: usize,
        at: &str,
    ) -> Vec<(&'a Value, String)> {
        let place = format!("{at}/{name}");
        let Some(Value::Array(items)) = owner.get(name) else {
            self.flaw("must be a list", &place);
            return Vec::new();
        };
        if items.is_empty() {
            self.flaw("no less than 1 item allowed", &place);
        }
        if items.len() > limit {
            self.flaw(&format!("no more than {limit} items allowed"), &place);
        }
        items.iter().enumerate().map(|(index, item)| (item, format!("{place}/{index}"))).collect()
    }

    fn only(&mut self, object: &Map<String, Value>, allowed: &[&str], at: &str) {
        for name in object.keys().filter(|name| !["type", "block_id"].contains(&name.as_str())) {
            if !allowed.contains(&name.as_str()) {
                self.flaw(&format!("invalid additional property: {name}"), at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flaws(block: &Value) -> Vec<String> {
        match check(std::slice::from_ref(block)) {
            Ok(()) => Vec::new(),
            Err(Flaw::Invalid(flaws)) => flaws,
            Err(Flaw::TooLong) => vec!["too long".into()],
        }
    }

    fn text(length: usize) -> Value {
        json!({ "type": "mrkdwn", "text": "検".repeat(length) })
    }

    fn plain(length: usize) -> Value {
        json!({ "type": "plain_text", "text": "x".repeat(length) })
    }

    #[test]
    fn each_limit_holds_exactly() {
        let at_limit = [
            json!({ "type": "header", "text": plain(150) }),
            json!({ "type": "section", "text": text(3_000) }),
            json!({ "type": "section", "fields": vec![text(1); 10] }),
            json!({ "type": "section", "fields": [text(2_000)] }),
            json!({ "type": "context", "elements": vec![text(1); 10] }),
            json!({ "type": "actions", "elements": vec![json!({ "type": "button", "text": plain(75) }); 25] }),
            json!({ "type": "divider", "block_id": "x".repeat(255) }),
        ];
        for block in at_limit {
            assert_eq!(flaws(&block), [""; 0], "{block}");
        }
        let beyond = [
            (
                json!({ "type": "header", "text": plain(151) }),
                "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
            ),
            (
                json!({ "type": "section", "text": text(3_001) }),
                "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
            ),
            (
                json!({ "type": "section", "fields": vec![text(1); 11] }),
                "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
            ),
            (
                json!({ "type": "section", "fields": [text(2_001)] }),
                "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
            ),
            (
                json!({ "type": "context", "elements": vec![text(1); 11] }),
                "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
            ),
            (
                json!({ "type": "actions", "elements": vec![json!({ "type": "button", "text": plain(1) }); 26] }),
                "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
            ),
            (
                json!({ "type": "actions", "elements": [{ "type": "button", "text": plain(76) }] }),
                "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
            ),
            (
                json!({ "type": "divider", "block_id": "x".repeat(256) }),
                "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
            ),
        ];
        for (block, flaw) in beyond {
            assert_eq!(flaws(&block), [flaw]);
        }
    }

    #[test]
    fn what_slack_does_not_know_is_refused() {
        for (block, flaw) in [
            (json!({ "type": "heading", "text": plain(1) }), "unsupported type: heading"),
            (json!({ "type": "header", "text": text(1) }), "unsupported type: mrkdwn"),
            (json!({ "type": "header" }), "missing required field: text"),
            (json!({ "type": "section" }), "missing required field: text or fields"),
            (json!({ "type": "section", "text": text(0) }), "must be more than 0 characters"),
            (json!({ "type": "section", "text": "just text" }), "must be a text object"),
            (json!({ "type": "section", "text": text(1), "colour": "red" }), "invalid additional property: colour"),
            (json!({ "type": "context", "elements": [] }), "no less than 1 item allowed"),
            (json!({ "type": "context" }), "must be a list"),
            (
                json!({ "type": "actions", "elements": [{ "type": "button", "text": plain(1), "style": "loud" }] }),
                "must be one of primary, danger",
            ),
            (json!({ "type": "image", "image_url": "https://example.org/a.png" }), "missing required field: alt_text"),
            (json!("divider"), "must be an object"),
        ] {
            assert!(flaws(&block).first().is_some_and(|first| first.starts_with(flaw)), "{block}: {:?}", flaws(&block));
        }
    }

    #[test]
    fn a_whole_message_is_bounded_too() {
        let divider = json!({ "type": "divider" });
        assert_eq!(check(&vec![divider.clone(); 50]), Ok(()));
        assert!(matches!(check(&vec![divider; 51]), Err(Flaw::Invalid(_))));
        let section = json!({ "type": "section", "text": text(2_800) });
        assert_eq!(check(&vec![section.clone(); 3]), Ok(()));
        assert_eq!(check(&vec![section; 4]), Err(Flaw::TooLong));
        let twins = vec![json!({ "type": "divider", "block_id": "same" }); 2];
        assert!(matches!(check(&twins), Err(Flaw::Invalid(_))));
    }
}
