//! What evidence holds: kept with what is said about it, seen by its own tenant alone, and proved by its digest (REL-22).

use domain::evidence::{Answer, Inquiry, Outcome, Summary};
use domain::incident::Command;
use domain::{TenantId, Untrusted};
use store::Piece;

use super::database::Database;
use super::desk::{alert, decide, minutes, morning, opened, tenant};

const SOFTWARE: &str = r#"[{"product":"7-Zip 22.01 (x64)"}]"#;

/// One incident of a tenant with one piece of evidence. Committed only if it is to be.
async fn gathered(db: &Database, tenant: &TenantId, commit: bool) -> Piece {
    let incident = opened(&db.store, tenant, &alert(1), morning()).await;
    let piece = Piece::new(SOFTWARE);
    let answer = Answer {
        inquiry: Inquiry::Software { agent: "agent-1".parse().expect("an agent id") },
        source: "SentinelOne".into(),
        query: Untrusted::new("GET /agents/applications?ids=agent-1"),
        window: None,
        obtained_at: minutes(1),
        outcome: Outcome::Found(Summary::Software { programs: 1, cut: false }),
        findings: Some(piece.content.clone()),
        raw: None,
    };
    let mut work = db.store.begin(tenant).await.expect("a unit of work");
    let incident = work.incident(incident.id).await.expect("an answer").expect("the incident");
    decide(&mut work, &incident, Command::RecordAnswerTo { answer: Box::new(answer) }, minutes(1));
    work.keep_content(piece.clone());
    if commit {
        work.commit().await.expect("a commit");
    }
    piece
}

pub async fn evidence_is_there_with_its_content_or_not_at_all_rel_05(db: &Database) {
    let acme = tenant("acme");
    let lost = gathered(db, &acme, false).await;
    assert!(db.store.contents(&acme, &[&lost.content]).await.expect("an answer").is_empty());
    let piece = gathered(db, &tenant("globex"), true).await;
    let found = db.store.contents(&tenant("globex"), &[&piece.content]).await.expect("an answer");
    assert_eq!(found[&piece.content.sha256], SOFTWARE);
    let audit = db.store.verify_contents().await.expect("an audit");
    assert_eq!((audit.pieces, audit.faults), (1, vec![]));
}

pub async fn evidence_is_not_there_for_another_tenant_sec_02(db: &Database) {
    let piece = gathered(db, &tenant("acme"), true).await;
    assert!(db.store.contents(&tenant("globex"), &[&piece.content]).await.expect("an answer").is_empty());
}

pub async fn changed_and_deleted_evidence_is_named_and_never_shown_rel_22(db: &Database) {
    let acme = tenant("acme");
    let piece = gathered(db, &acme, true).await;
    db.run("UPDATE content SET body = '[]'").await;
    assert!(db.store.contents(&acme, &[&piece.content]).await.expect("an answer").is_empty());
    let fault = |what: store::ContentAudit| what.faults.first().map(ToString::to_string).unwrap_or_default();
    let named = fault(db.store.verify_contents().await.expect("an audit"));
    assert!(named.contains("acme") && named.contains(&piece.content.sha256), "{named}");
    db.run("DELETE FROM content").await;
    let named = fault(db.store.verify_contents().await.expect("an audit"));
    assert!(named.contains(&piece.content.sha256), "{named}");
}
