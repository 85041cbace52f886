//! One customer's place on one console, and the two kinds of token for it.

use std::fmt;
use std::str::FromStr;

use domain::TenantId;
use outbound::{Origin, Secret};

use crate::row::Row;
use crate::rows::Foreign;

/// Where a customer's endpoints are managed. Holds no token, so that every role may know it.
#[derive(Debug, Clone)]
pub struct Console {
    pub origin: Origin,
    pub tenant: TenantId,
    pub scope: Scope,
}

/// A token that can look. Its console role must not allow more (SEC-10).
#[derive(Debug, Clone)]
pub struct ReadToken(pub Secret);

/// A token that can act. Only the role `actuator` is ever given one (SEC-13).
#[derive(Debug, Clone)]
pub struct ActToken(pub Secret);

/// The sites or accounts that are the customer's. Never empty: an empty scope is the whole console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    sites: Vec<ScopeId>,
    accounts: Vec<ScopeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    #[error("name at least one site or account: without one, the whole console would be meant")]
    Empty,
    #[error("a site or account id is made of 1 to 80 letters, digits and -")]
    Id,
}

impl Scope {
    pub fn new(sites: Vec<ScopeId>, accounts: Vec<ScopeId>) -> Result<Self, InvalidScope> {
        if sites.is_empty() && accounts.is_empty() {
            return Err(InvalidScope::Empty);
        }
        Ok(Self { sites, accounts })
    }

    pub fn of_sites(ids: &[&str]) -> Result<Self, InvalidScope> {
        let sites = ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
        Self::new(sites, Vec::new())
    }

    /// `siteIds` and `accountIds`, those that are not empty.
    pub(crate) fn filters(&self) -> impl Iterator<Item = (&'static str, &[ScopeId])> {
        let both = [("siteIds", self.sites.as_slice()), ("accountIds", self.accounts.as_slice())];
        both.into_iter().filter(|(_, ids)| !ids.is_empty())
    }

    /// Whether a record is ours, by the first of the given objects that names a site (an account); `""` is the record itself.
    pub(crate) fn check(&self, row: Row<'_>, objects: &[&str]) -> Result<(), Foreign> {
        let find = |key: &str| {
            objects.iter().find_map(|object| if object.is_empty() { row.text(key) } else { row.row(object).text(key) })
        };
        self.check_ids(find("siteId").as_deref(), find("accountId").as_deref())
    }

    pub(crate) fn holds_site(&self, id: &str) -> bool {
        self.sites.iter().any(|own| own.0 == id)
    }

    pub(crate) fn holds_account(&self, id: &str) -> bool {
        self.accounts.iter().any(|own| own.0 == id)
    }

    pub(crate) fn names_no_site(&self) -> bool {
        self.sites.is_empty()
    }

    pub(crate) fn check_ids(&self, site: Option<&str>, account: Option<&str>) -> Result<(), Foreign> {
        match site {
            _ if self.sites.is_empty() => {}
            None => return Err(Foreign::NoSite),
            Some(id) if !self.holds_site(id) => return Err(Foreign::Site),
            Some(_) => {}
        }
        match account {
            _ if self.accounts.is_empty() => Ok(()),
            None => Err(Foreign::NoAccount),
            Some(id) if !self.holds_account(id) => Err(Foreign::Account),
            Some(_) => Ok(()),
        }
    }
}

/// The console's id of a site or account. Holds nothing that could split a list or leave a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeId(String);

impl FromStr for ScopeId {
    type Err = InvalidScope;
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if safe && (1..=80).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(InvalidScope::Id) }
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scope_is_never_the_whole_console() {
        assert_eq!(Scope::new(vec![], vec![]), Err(InvalidScope::Empty));
        for hostile in ["", "1,2", "1&tenant=true", " "] {
            assert_eq!(Scope::of_sites(&[hostile]), Err(InvalidScope::Id), "{hostile:?}");
        }
    }

    #[test]
    fn a_record_is_ours_only_if_it_says_so_sec_01() {
        let scope = Scope::new(vec!["11".parse().unwrap()], vec!["7".parse().unwrap()]).unwrap();
        let check = |value| scope.check(Row(&value), &["live", "then"]);
        assert_eq!(check(json!({"live": {"siteId": "11", "accountId": "7"}})), Ok(()));
        assert_eq!(check(json!({"live": {"siteId": null}, "then": {"siteId": 11, "accountId": "7"}})), Ok(()));
        assert_eq!(check(json!({"live": {"siteId": "12", "accountId": "7"}})), Err(Foreign::Site));
        assert_eq!(check(json!({"live": {"siteId": "11", "accountId": "8"}})), Err(Foreign::Account));
        assert_eq!(check(json!({"live": {"siteId": "11"}})), Err(Foreign::NoAccount));
        assert_eq!(check(json!({})), Err(Foreign::NoSite));
    }

    #[test]
    fn a_record_that_moved_to_another_customer_is_no_longer_ours() {
        let scope = Scope::of_sites(&["11"]).unwrap();
        let moved = json!({"live": {"siteId": "12"}, "then": {"siteId": "11"}});
        assert_eq!(scope.check(Row(&moved), &["live", "then"]), Err(Foreign::Site));
    }
}
