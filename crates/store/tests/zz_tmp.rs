#![allow(clippy::all)]
use sqlx::*; use sqlx::any::*;
#[tokio::test] #[ignore]
async fn timing() {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new().max_connections(1).connect("sqlite:/tmp/q.db").await.unwrap();
    let v: String = sqlx::query("select sqlite_version()").fetch_one(&pool).await.unwrap().get(0); println!("{v}");
    let cols = "tenant, id, phase, priority, verdict, assigned, due_at, received_at, updated_at, summary";
    for (name, w, o) in [("open","is_open = 1 AND tenant IN ($1,$2,$3)","due_at, priority, id"),("open+","is_open = 1 AND +tenant IN ($1,$2,$3)","due_at, priority, id"),("closed","is_open = 0 AND tenant IN ($1,$2,$3)","updated_at DESC, id DESC"),("closed+","is_open = 0 AND +tenant IN ($1,$2,$3)","updated_at DESC, id DESC")] {
      for (a,b,c) in [("t000","t001","t002"),("t070","t080","t090")] {
        let q = format!("SELECT {cols} FROM incident WHERE {w} ORDER BY {o} LIMIT 50 OFFSET 0");
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {q}"))).bind(a).bind(b).bind(c).fetch_all(&pool).await.unwrap();
        let s = std::time::Instant::now();
        let n = sqlx::query(AssertSqlSafe(q)).bind(a).bind(b).bind(c).fetch_all(&pool).await.unwrap().len();
        println!("{name} {a} {n} {:?} {:?}", s.elapsed(), rows.iter().map(|r| r.get::<String,_>(3)).collect::<Vec<_>>());
      }
    }
}
