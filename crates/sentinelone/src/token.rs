//! What the console says of the token in use: how far it reaches and how long it lives.
//!
//! A start-up check uses it to refuse a token that reaches beyond its customer (SEC-10) and to warn before one expires
//! (SEC-12). It does not say what the token may do: only trying shows that.

use domain::Untrusted;
use jiff::Timestamp;

use crate::console::Scope;
use crate::row::Row;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    pub reach: Reach,
    pub expires_at: Option<Timestamp>,
    /// Who the console thinks we are.
    pub holder: Option<Untrusted>,
}

/// How far a token reaches, compared with the sites and accounts it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Within,
    /// It sees other customers, or a whole account where only sites were meant.
    Wider,
    /// The console does not say. In doubt, a person decides.
    Unknown,
}

pub(crate) fn read(user: Row<'_>, scope: &Scope) -> TokenFacts {
    TokenFacts {
        reach: reach(user, scope),
        expires_at: user.time("apiToken.expiresAt"),
        holder: user.first_untrusted(&["fullName", "email"]),
    }
}

fn reach(user: Row<'_>, scope: &Scope) -> Reach {
    let roles = |path: &str| user.rows(path).map(|role| role.text("id")).collect::<Vec<_>>();
    let all = |places: &[Option<std::borrow::Cow<'_, str>>], owns: &dyn Fn(&str) -> bool| match places {
        [] => Reach::Unknown,
        some if some.iter().all(|id| id.as_deref().is_some_and(owns)) => Reach::Within,
        _ => Reach::Wider,
    };
    match user.word("scope").as_deref() {
        Some("tenant" | "global") => Reach::Wider,
        Some("account") => all(&roles("scopeRoles"), &|id| scope.holds_account(id)),
        Some("site") => {
            let places = match roles("scopeRoles") {
                none if none.is_empty() => roles("siteRoles"),
                some => some,
            };
            // Sites of an account that is ours as a whole are not named one by one.
            match all(&places, &|id| scope.holds_site(id)) {
                Reach::Wider if scope.names_no_site() => Reach::Unknown,
                reach => reach,
            }
        }
        _ => Reach::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn reach_of(user: &Value) -> Reach {
        let scope = Scope::new(vec!["11".parse().unwrap(), "12".parse().unwrap()], vec!["7".parse().unwrap()]).unwrap();
        reach(Row(user), &scope)
    }

    #[test]
    fn a_token_that_reaches_beyond_its_customer_is_told_apart_sec_10() {
        let site = |ids: &[&str]| {
            let roles: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
            json!({"scope": "site", "scopeRoles": roles})
        };
        assert_eq!(reach_of(&site(&["11"])), Reach::Within);
        assert_eq!(reach_of(&site(&["11", "12"])), Reach::Within);
        assert_eq!(reach_of(&site(&["11", "99"])), Reach::Wider);
        assert_eq!(reach_of(&json!({"scope": "tenant", "scopeRoles": []})), Reach::Wider);
        assert_eq!(reach_of(&json!({"scope": "account", "scopeRoles": [{"id": "7"}]})), Reach::Within);
        assert_eq!(reach_of(&json!({"scope": "account", "scopeRoles": [{"id": "8"}]})), Reach::Wider);
    }

    #[test]
    fn silence_is_not_taken_for_consent() {
        for user in [json!({}), json!({"scope": "site", "scopeRoles": []}), json!({"scope": "galaxy"})] {
            assert_eq!(reach_of(&user), Reach::Unknown);
        }
        let sites_only = Scope::of_sites(&["11"]).unwrap();
        let account = json!({"scope": "account", "scopeRoles": [{"id": "7"}]});
        assert_eq!(reach(Row(&account), &sites_only), Reach::Wider);
    }
}
