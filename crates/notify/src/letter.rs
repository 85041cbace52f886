//! A message before it has a form: what is said, in which order, in one language.
//!
//! Text part, HTML part and chat message are three renderings of one `Letter`, so they cannot say different things. Which
//! items a message has is decided here; how each reads is in `words`. Every string in it is bounded, defanged and free of
//! deceiving characters; escaping for a form is the renderer's.

use domain::notice::{Facts, Kind, TLP};
use domain::rules::Weight;
use domain::{Language, Priority, Text};

use crate::Sender;

mod words;

use words::Words;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Letter {
    pub(crate) language: Language,
    pub(crate) priority: Priority,
    pub(crate) need: Need,
    pub(crate) incident: String,
    pub(crate) host: String,
    pub(crate) heading: String,
    /// Who it is for, one line each: the company, then its people.
    pub(crate) addressees: Vec<String>,
    /// The one line of courtesy that a Japanese letter opens with.
    pub(crate) greeting: Option<String>,
    pub(crate) conclusion: Vec<String>,
    /// What is wrong, how sure are we, what was done, what is asked by when.
    pub(crate) summary: Vec<(&'static str, String)>,
    pub(crate) items: Vec<Item>,
    pub(crate) signature: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) label: &'static str,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Plain(String),
    Point(String),
    Numbered(usize, String),
    /// Somebody's own words, a line of them.
    Quoted(String),
}

/// Where it will be read. A chat has no letter head and is answered in its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Mail,
    Chat,
}

/// What the reader has to do, in the first words of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Act,
    Check,
    Know,
}

impl Need {
    fn of(facts: &Facts<'_>) -> Self {
        match facts.request.map(|r| r.weight) {
            _ if facts.kind == Kind::Question => Self::Check,
            Some(Weight::Must) => Self::Act,
            Some(Weight::Should | Weight::Could) => Self::Check,
            None => Self::Know,
        }
    }

    pub(crate) fn text(self) -> Text {
        match self {
            Self::Act => Text::new("要対応", "Action required"),
            Self::Check => Text::new("要確認", "Please check"),
            Self::Know => Text::new("情報", "Information"),
        }
    }
}

impl Letter {
    /// `attached` names the files that go with it.
    pub(crate) fn write(
        facts: &Facts<'_>,
        language: Language,
        medium: Medium,
        sender: &Sender,
        attached: &[&str],
    ) -> Self {
        let words = Words { facts, language, medium };
        Self {
            language,
            priority: facts.priority,
            need: Need::of(facts),
            incident: facts.incident.to_string(),
            host: words.host(40),
            heading: words.heading(),
            addressees: words.addressees(),
            greeting: words.greeting(sender),
            conclusion: words.conclusion(),
            summary: words.summary(),
            items: items(&words, sender, attached),
            signature: words.signature(sender),
        }
    }

    /// The heading where it stands alone: an English one begins in lower case, since in the subject it follows a name.
    pub(crate) fn title(&self) -> String {
        let mut characters = self.heading.chars();
        characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
    }

    /// Tells the priority without colour.
    pub(crate) fn shape(&self) -> &'static str {
        match self.priority {
            Priority::P0 => "◆",
            Priority::P1 => "▲",
            Priority::P2 => "●",
            Priority::P3 => "○",
        }
    }

    /// `【P0・要対応】【TLP:AMBER+STRICT】INC-2026-000123 WS-17 不審な活動の検知（第一報）`.
    pub(crate) fn subject(&self) -> String {
        let Self { priority, incident, host, heading, .. } = self;
        let (priority, need) = (priority.name(), self.need.text().in_language(self.language));
        match self.language {
            Language::Ja => format!("【{priority}・{need}】【{TLP}】{incident} {host} {heading}"),
            Language::En => format!("[{priority} - {need}] [{TLP}] {incident} {host}: {heading}"),
        }
    }
}

/// The items in their order. An item with nothing to say is left out.
fn items(words: &Words<'_>, sender: &Sender, attached: &[&str]) -> Vec<Item> {
    let head = match words.medium {
        Medium::Mail => vec![words.incident(), words.priority(), words.marking()],
        // All three stand in the headline of a post.
        Medium::Chat => vec![],
    };
    let event =
        [words.endpoint(), words.detected(), words.overview(), words.file(), words.campaign(), words.excluded()];
    let body = match words.facts.kind {
        Kind::First => vec![words.judgement(), words.status(), words.actions(), words.notes(), words.requests()],
        Kind::Update => vec![words.actions(), words.status(), words.judgement(), words.notes(), words.requests()],
        Kind::Question | Kind::Reminder => {
            vec![words.judgement(), words.questions(), words.addition(), words.deadline(), words.silence()]
        }
        Kind::Analysis => {
            vec![words.judgement(), words.presented(), words.status(), words.actions(), words.notes(), words.requests()]
        }
        Kind::Verdict => vec![
            words.judgement(),
            words.reason(),
            words.actions(),
            words.notes(),
            words.requests(),
            words.attachments(attached),
        ],
    };
    let foot = [words.next(), words.contact(sender)];
    head.into_iter().chain(event).chain(body).chain(foot).filter(|item| !item.lines.is_empty()).collect()
}
