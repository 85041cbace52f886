//! The data lake's long-running queries between launch and end. What a query finds is settled when it is launched; it is
//! handed out step by step, as the console does, only to who brings the tag back, and forgotten half a minute after
//! the last look.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::later;
use crate::digest;
use crate::query::Table;
use crate::telemetry::Cell;

/// Launch, one step without an answer, and the answer.
const STEPS: u64 = 3;
const LIFE: Duration = Duration::from_secs(30);
const MAX_QUERIES: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Queries {
    launched: u64,
    running: BTreeMap<String, Query>,
}

#[derive(Debug)]
struct Query {
    tag: String,
    user: u64,
    steps: u64,
    dies: Timestamp,
    span: (Timestamp, Timestamp),
    table: Table,
}

impl Queries {
    /// Takes a query in: the answer to its launch, and the tag to bring back. `None` when too many are running.
    pub(crate) fn launch(
        &mut self,
        user: u64,
        table: Table,
        span: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Option<(Value, String)> {
        self.running.retain(|_, query| query.dies > now);
        if self.running.len() >= MAX_QUERIES {
            return None;
        }
        self.launched += 1;
        let id = digest::md5(&format!("query {} {user}", self.launched));
        let tag = format!("node-{}", &digest::md5(&id)[..8]);
        let query = Query { tag: tag.clone(), user, steps: 1, dies: later(now, LIFE), span, table };
        let answer = query.tell(&id);
        self.running.insert(id, query);
        Some((answer, tag))
    }

    /// A look at a query, which brings it one step forward. `None`: not known, or not on the node the tag leads to.
    pub(crate) fn look(&mut self, id: &str, user: u64, tag: Option<&str>, now: Timestamp) -> Option<Value> {
        let query = self.find(id, user, tag, now)?;
        query.steps = (query.steps + 1).min(STEPS);
        query.dies = later(now, LIFE);
        Some(query.tell(id))
    }

    pub(crate) fn delete(&mut self, id: &str, user: u64, tag: Option<&str>, now: Timestamp) -> Option<()> {
        self.find(id, user, tag, now)?;
        self.running.remove(id).map(|_| ())
    }

    fn find(&mut self, id: &str, user: u64, tag: Option<&str>, now: Timestamp) -> Option<&mut Query> {
        let query = self.running.get_mut(id)?;
        (query.dies > now && query.user == user && tag == Some(&query.tag)).then_some(query)
    }
}

impl Query {
    fn tell(&self, id: &str) -> Value {
        let data = (self.steps == STEPS).then(|| {
            let columns = self.table.columns.iter();
            let columns = columns.map(|one| json!({"name": one.name, "cellType": one.kind, "decimalPlaces": null}));
            let rows = self.table.rows.iter().map(|row| row.iter().map(Cell::json).collect::<Vec<_>>());
            json!({
                "matchCount": self.table.matched, "values": rows.collect::<Vec<_>>(), "columns": columns.collect::<Vec<_>>(),
                "keyColumns": 0, "omittedEvents": 0, "partialResultsDueToTimeLimit": false, "discardedArrayItems": 0,
                "warnings": if self.table.cut { json!(["There are more rows than the query's limit."]) } else { json!([]) },
            })
        });
        json!({
            "id": id, "stepsCompleted": self.steps, "totalSteps": STEPS, "cpuUsage": 1_000_000 * self.steps, "error": null,
            "resolvedTimeRange": {"start": self.span.0.as_millisecond(), "end": self.span.1.as_millisecond()}, "data": data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Column;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_482_000 + seconds).expect("in range")
    }

    #[test]
    fn a_query_is_answered_after_a_few_looks_of_who_brings_its_tag_back() {
        let mut queries = Queries::default();
        let columns =
            [("a", "NUMBER"), ("b", "STRING")].map(|(name, kind)| Column { name: name.to_owned(), kind }).into();
        let table = Table { columns, rows: vec![vec![Cell::Number(1), Cell::Null]], matched: 1, cut: false };
        let (answer, tag) = queries.launch(7, table, (at(-60), at(0)), at(0)).expect("room");
        let id = answer["id"].as_str().expect("an id").to_owned();
        assert!(answer["data"].is_null());
        assert!(queries.look(&id, 7, None, at(1)).is_none(), "without the tag the question reaches another node");
        assert!(queries.look(&id, 8, Some(&tag), at(1)).is_none(), "another's query");
        assert!(queries.look(&id, 7, Some(&tag), at(1)).expect("known")["data"].is_null());
        let last = queries.look(&id, 7, Some(&tag), at(2)).expect("known");
        assert_eq!((&last["stepsCompleted"], &last["data"]["values"]), (&last["totalSteps"], &json!([[1, null]])));
        assert!(queries.delete(&id, 7, Some(&tag), at(3)).is_some());
        assert!(queries.look(&id, 7, Some(&tag), at(4)).is_none());
    }

    #[test]
    fn a_query_nobody_looks_at_is_forgotten() {
        let mut queries = Queries::default();
        let (answer, tag) = queries
            .launch(7, Table { columns: Vec::new(), rows: Vec::new(), matched: 0, cut: false }, (at(-60), at(0)), at(0))
            .expect("room");
        let id = answer["id"].as_str().expect("an id").to_owned();
        assert!(queries.look(&id, 7, Some(&tag), at(29)).is_some());
        assert!(queries.look(&id, 7, Some(&tag), at(58)).is_some(), "every look is a new half minute");
        assert!(queries.look(&id, 7, Some(&tag), at(89)).is_none());
    }
}
