//! A database of a test's own, with the store that is tested and a second way in for looking and for tampering.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Row};
use store::Store;
use tempfile::TempDir;

use super::postgres::Server;

pub struct Database {
    pub store: Store,
    /// Where the store is, for a second program to open.
    pub address: String,
    pub is_sqlite: bool,
    direct: AnyPool,
    name: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("yagura.db").display());
        Self::open(address, String::new(), Some(folder)).await
    }

    pub async fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sqlx::any::install_default_drivers();
        let server = server_address();
        let name = format!("yagura_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        on_server(server, &format!("CREATE DATABASE {name}")).await;
        Self::open(format!("{server}{name}"), name, None).await
    }

    async fn open(address: String, name: String, folder: Option<TempDir>) -> Self {
        let store = Store::open(&address).await.expect("the store opens");
        let direct = AnyPoolOptions::new().max_connections(2).connect(&address).await.expect("a second way in");
        Self { store, direct, name, is_sqlite: folder.is_some(), address, _folder: folder }
    }

    /// A second program opens the same store.
    pub async fn open_again(&self) -> Store {
        Store::open(&self.address).await.expect("the store opens again")
    }

    /// Does what the store would never do. Returns how many rows it touched.
    pub async fn run(&self, sql: &str) -> u64 {
        sqlx::query(AssertSqlSafe(sql)).execute(&self.direct).await.expect(sql).rows_affected()
    }

    /// The only value of the only row that `sql` finds.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query(AssertSqlSafe(sql)).fetch_one(&self.direct).await.expect(sql).get(0)
    }

    pub async fn text(&self, sql: &str) -> String {
        sqlx::query(AssertSqlSafe(sql)).fetch_one(&self.direct).await.expect(sql).get(0)
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub async fn drop_postgres(self) {
        self.store.close().await;
        self.direct.close().await;
        on_server(server_address(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn on_server(server: &str, sql: &str) {
    let pool = AnyPoolOptions::new().max_connections(1).connect(&format!("{server}postgres")).await;
    let pool = pool.expect("the PostgreSQL server of the tests answers");
    sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.expect(sql);
    pool.close().await;
}

/// The server that was started for us, or one of our own, which ends with this process.
fn server_address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    static OWN: OnceLock<Server> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "how `cargo xtask test` tells the tests where its server is")]
    let given = || std::env::var("YAGURA_TEST_POSTGRES").ok();
    ADDRESS.get_or_init(|| {
        given().unwrap_or_else(|| {
            let server = Server::start().unwrap_or_else(|why| panic!("no PostgreSQL to test on: {why}"));
            OWN.get_or_init(|| server).address()
        })
    })
}
