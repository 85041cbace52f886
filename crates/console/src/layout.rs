//! The frame around every page: the watch line, the bar with navigation and preferences, the help sheet.

use axum::response::Html;
use domain::IncidentId;
use domain::notice::TLP;
use domain::tenant::Tenant;
use maud::{DOCTYPE, Markup, html};

use crate::error::Fault;
use crate::preferences::Theme;
use crate::say::Say;
use crate::visitor::{Manner, Visitor};
use crate::{App, assets, show, watch, words};

/// Where in the console a page stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// With the address that shows it just as it is, filters included.
    Queue(String),
    Incident(IncidentId),
    Evidence(IncidentId),
    /// With its filters.
    Figures(String),
    /// Likewise.
    HandOver(String),
    Trouble,
    About,
}

impl Place {
    fn address(&self) -> String {
        match self {
            Self::Queue(address) | Self::Figures(address) | Self::HandOver(address) => address.clone(),
            Self::Incident(id) | Self::Evidence(id) => format!("/incidents/{id}"),
            Self::Trouble => "/trouble".into(),
            Self::About => "/about".into(),
        }
    }

    fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Incident(id) | Self::Evidence(id) => Some(*id),
            Self::Queue(_) | Self::Figures(_) | Self::HandOver(_) | Self::Trouble | Self::About => None,
        }
    }

    /// The module that makes the page quick.
    fn script(&self) -> Option<&'static str> {
        match self {
            Self::Queue(_) => Some("queue.js"),
            Self::Incident(_) => Some("incident.js"),
            Self::HandOver(_) => Some("hand-over.js"),
            Self::Evidence(_) | Self::Figures(_) | Self::Trouble | Self::About => None,
        }
    }
}

/// A whole page for somebody who is signed in.
pub(crate) async fn page(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    title: &str,
    body: Markup,
) -> Result<Html<String>, Fault> {
    let now = app.now();
    let works = visitor.role().works_incidents();
    let watch = if works { Some(watch::line(app, visitor, place.incident(), now).await?) } else { None };
    let say = visitor.say();
    let page = html! {
        (DOCTYPE)
        html lang=(say.0.tag()) data-theme=(visitor.manner.theme.name()) {
            (head(title, place.script(), true))
            body data-now=(show::machine(now)) data-live[works] {
                a.skip href="#main" { (say.pick("本文へ移動", "Skip to content")) }
                header.top {
                    @if let Some(watch) = watch { (watch) }
                    (bar(visitor, place, works))
                }
                main #main tabindex="-1" { (body) }
                dialog #help.sheet aria-labelledby="help-title" {
                    h2 #help-title { (say.pick("キーボード操作", "Keyboard")) }
                    (words::shortcuts(say))
                    form method="dialog" { button { (say.pick("閉じる", "Close")) } }
                }
                div #toast role="status" aria-live="polite" {}
            }
        }
    };
    Ok(Html(page.into_string()))
}

/// A page for a customer's person: their company, the page, and the way out. It needs no script, and follows the colours of
/// their own device.
pub(crate) fn customer(
    app: &App,
    visitor: &Visitor,
    company: &Tenant,
    address: &str,
    title: &str,
    body: &Markup,
) -> Html<String> {
    let say = visitor.say();
    let settings = app.settings();
    let (tag, name) = other_language(say);
    let page = html! {
        (DOCTYPE)
        html lang=(say.0.tag()) data-theme=(Theme::System.name()) {
            (head(title, None, false))
            body.customer {
                a.skip href="#main" { (say.pick("本文へ移動", "Skip to content")) }
                header.bar {
                    a.crest href="/answers" { (tower()) span { (say.names(&company.name)) } }
                    div.switches {
                        form method="post" action="/preferences" {
                            input type="hidden" name="back" value=(address);
                            button.quiet name="language" value=(tag) lang=(tag) { (name) }
                        }
                        form method="post" action="/sign-out" { button.quiet { (say.pick("サインアウト", "Sign out")) } }
                    }
                }
                main #main tabindex="-1" { (body) }
                footer {
                    p { (say.names(&settings.provider))
                        @if let Some(contact) = &settings.contact { " · " (say.pick("お問い合わせ", "Contact")) " " (say.names(contact)) } }
                    p { (TLP) " " (say.pick("貴社内で業務上必要な方に限りご共有ください。", "For those at your company who need to know.")) }
                }
            }
        }
    };
    Html(page.into_string())
}

/// A page for strangers: sign-in and its kin.
pub(crate) fn plain(manner: Manner, title: &str, body: &Markup) -> Html<String> {
    let say = manner.say;
    let page = html! {
        (DOCTYPE)
        html lang=(say.0.tag()) data-theme=(manner.theme.name()) {
            (head(title, None, false))
            body.alone {
                main #main {
                    div.crest { (tower()) span { (words::name(say)) } }
                    (body)
                }
            }
        }
    };
    Html(page.into_string())
}

/// What a failed request is answered with.
pub(crate) fn failure(manner: Manner, status: u16, what: &str, next: &str) -> Html<String> {
    let say = manner.say;
    let body = html! {
        section.failure {
            p.code { (status) }
            h1 { (what) }
            p { (next) }
            // It leads everybody to where their role begins.
            p { a.button href="/sign-in" { (say.pick("最初の画面へ", "To the start")) } }
        }
    };
    plain(manner, what, &body)
}

fn head(title: &str, script: Option<&str>, live: bool) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) " · Yagura" }
            link rel="icon" type="image/svg+xml" href=(assets::url("yagura.svg"));
            link rel="stylesheet" href=(assets::url("console.css"));
            @if live { script type="module" src=(assets::url("console.js")) {} }
            @if let Some(script) = script { script type="module" src=(assets::url(script)) {} }
        }
    }
}

fn bar(visitor: &Visitor, place: &Place, works: bool) -> Markup {
    let say = visitor.say();
    let link = |here: bool, href: &str, text: &str| {
        html! { a href=(href) aria-current=[here.then_some("page")] { (text) } }
    };
    html! {
        nav.bar aria-label=(say.pick("メイン", "Main")) {
            a.crest href="/" title=(words::name(say)) { (tower()) span { (say.pick("櫓", "Yagura")) } }
            div.places {
                @if works {
                    (link(matches!(place, Place::Queue(_)), "/", say.pick("キュー", "Queue")))
                    (link(matches!(place, Place::HandOver(_)), "/hand-over", say.pick("引き継ぎ", "Hand-over")))
                    (link(matches!(place, Place::Figures(_)), "/figures", say.pick("達成状況", "Figures")))
                }
                (link(*place == Place::Trouble, "/trouble", say.pick("要確認", "Trouble")))
                (link(*place == Place::About, "/about", say.pick("このシステムについて", "About")))
            }
            @if works {
                form.jump action="/jump" method="get" role="search" {
                    input name="to" #jump autocomplete="off" spellcheck="false" inputmode="search"
                        placeholder=(say.pick("番号で開く", "Open INC-…"))
                        aria-label=(say.pick("インシデント番号で開く", "Open an incident by its number"));
                    kbd { "Ctrl K" }
                }
                button #live.live type="button" hidden aria-pressed="true"
                    data-on=(say.pick("自動更新", "Live")) data-off=(say.pick("一時停止中", "Paused"))
                    data-lost=(say.pick("再接続中", "Reconnecting"))
                    title=(say.pick("自動更新の一時停止・再開（Alt+L）", "Pause or resume live updates (Alt+L)"))
                    { span.dot {} span.word { (say.pick("自動更新", "Live")) } }
            }
            (switches(visitor, place))
        }
    }
}

/// Language, theme, and the way out.
fn switches(visitor: &Visitor, place: &Place) -> Markup {
    let say = visitor.say();
    let other_language = other_language(say);
    let next_theme = match visitor.manner.theme {
        Theme::Night => (Theme::Paper, say.pick("紙", "Paper")),
        Theme::Paper => (Theme::System, say.pick("端末に合わせる", "System")),
        Theme::System => (Theme::Night, say.pick("夜", "Night")),
    };
    html! {
        div.switches {
            form method="post" action="/preferences" {
                input type="hidden" name="back" value=(place.address());
                button.quiet name="language" value=(other_language.0) lang=(other_language.0) { (other_language.1) }
                button.quiet name="theme" value=(next_theme.0.name())
                    title=(say.pick("配色を切り替える", "Switch the theme")) { (next_theme.1) }
            }
            button #help-open.quiet type="button" hidden title=(say.pick("キーボード操作（?）", "Keyboard (?)")) { "?" }
            form.person method="post" action="/sign-out" {
                span title=(visitor.id().as_str()) { (visitor.person.name) }
                button.quiet { (say.pick("サインアウト", "Sign out")) }
            }
        }
    }
}

/// The language that a page could be read in instead: its tag, and its name in itself.
fn other_language(say: Say) -> (&'static str, &'static str) {
    say.pick(("en", "English"), ("ja", "日本語"))
}

/// The mark of the product: a watch-tower on its stone base.
fn tower() -> Markup {
    html! {
        svg.tower viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" {
            path d="M12 2 21 8H3ZM6 9.5H18V13H6ZM4 14.5H20L18.5 17H5.5ZM7.5 18.5H16.5L18.5 22H5.5Z" {}
        }
    }
}
