//! Who works here: people, their sessions and their sign-in links.

use domain::Language;
use store::{AccountRole, Person, Scope};

use super::database::Database;
use super::desk::{minutes, person, tenant};

fn sato() -> Person {
    Person {
        id: person("sato"),
        name: "佐藤 花子".into(),
        role: AccountRole::Analyst,
        scope: Scope::Only(vec![tenant("acme"), tenant("globex")]),
        language: Language::Ja,
        password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
        disabled: false,
    }
}

pub async fn a_person_is_kept_as_saved(db: &Database) {
    let lead = Person {
        id: person("lead"),
        name: "Abe".into(),
        role: AccountRole::Manager,
        scope: Scope::All,
        language: Language::En,
        password: String::new(),
        disabled: true,
    };
    let nobody = Person { id: person("nobody"), name: "Nobody".into(), scope: Scope::Only(Vec::new()), ..sato() };
    for person in [&sato(), &lead, &nobody] {
        db.store.save_person(person).await.expect("saved");
        assert_eq!(db.store.person(&person.id).await.expect("a read").as_ref(), Some(person));
    }
    let moved = Person { role: AccountRole::Operator, scope: Scope::Only(vec![tenant("initech")]), ..sato() };
    db.store.save_person(&moved).await.expect("saved");
    assert_eq!(db.store.staff().await.expect("a list"), [lead, nobody, moved]);
    assert_eq!(db.store.person(&person("nemo")).await.expect("a read"), None);
}

pub async fn choosing_a_language_changes_nothing_else_of_a_person(db: &Database) {
    let disabled = Person { disabled: true, ..sato() };
    db.store.save_person(&disabled).await.expect("saved");
    db.store.save_language(&sato().id, Language::En).await.expect("saved");
    let kept = db.store.person(&sato().id).await.expect("a read");
    assert_eq!(kept, Some(Person { language: Language::En, ..disabled }), "SEC-08: still shut out");
    db.store.save_language(&person("nobody"), Language::En).await.expect("nobody to change");
}

pub async fn a_session_ends_when_it_expires_or_is_closed(db: &Database) {
    db.store.save_person(&sato()).await.expect("saved");
    for token in ["one", "two"] {
        db.store.open_session(token, &sato().id, minutes(0), minutes(480)).await.expect("a session");
    }
    let session = async |token: &str, now| db.store.session(token, minutes(now)).await.expect("an answer");
    let open = session("one", 479).await.expect("it is open");
    assert_eq!((open.person, open.expires_at), (sato(), minutes(480)));
    assert_eq!(session("one", 480).await, None, "it has expired");
    db.store.close_session("one").await.expect("closed");
    assert_eq!(session("one", 1).await, None);
    assert!(session("two", 1).await.is_some(), "closing one leaves the other");
    assert_eq!(session("three", 1).await, None);
}

pub async fn disabling_a_person_ends_their_sessions_at_once(db: &Database) {
    db.store.save_person(&sato()).await.expect("saved");
    db.store.open_session("one", &sato().id, minutes(0), minutes(480)).await.expect("a session");
    assert!(db.store.session("one", minutes(1)).await.expect("an answer").is_some());
    db.store.save_person(&Person { disabled: true, ..sato() }).await.expect("saved");
    assert_eq!(db.store.session("one", minutes(1)).await.expect("an answer"), None, "SEC-08");
}

pub async fn a_sign_in_link_works_once(db: &Database) {
    db.store.save_person(&sato()).await.expect("saved");
    db.store.save_link("link", &sato().id, minutes(15)).await.expect("a link");
    let use_link = async |token: &str, now| db.store.use_link(token, minutes(now)).await.expect("an answer");
    assert_eq!(use_link("other", 1).await, None);
    assert_eq!(use_link("link", 1).await, Some(sato().id));
    assert_eq!(use_link("link", 2).await, None);
}

pub async fn a_sign_in_link_expires(db: &Database) {
    db.store.save_person(&sato()).await.expect("saved");
    db.store.save_link("link", &sato().id, minutes(15)).await.expect("a link");
    assert_eq!(db.store.use_link("link", minutes(15)).await.expect("an answer"), None);
}

pub async fn two_who_use_one_link_at_once_get_one_session(db: &Database) {
    db.store.save_person(&sato()).await.expect("saved");
    db.store.save_link("link", &sato().id, minutes(15)).await.expect("a link");
    let second = db.open_again().await;
    let mut uses = Vec::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { db.store.clone() } else { second.clone() };
        uses.push(tokio::spawn(async move { store.use_link("link", minutes(1)).await.expect("an answer") }));
    }
    let mut worked = 0;
    for one in uses {
        worked += usize::from(one.await.expect("an answer").is_some());
    }
    assert_eq!(worked, 1);
}
