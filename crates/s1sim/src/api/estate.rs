//! Who and what is there: accounts, sites, groups, activities, the caller, the system.

use serde_json::{Value, json};

use super::{Answer, Call, Reply, ok, paged};
use crate::clock::print;
use crate::filter::Kind::{Among, Bool, Contains, Equal, Find, Ids, NoEffect, Nothing, Number, OneOf, Time, Unplayed};
use crate::filter::{Field, Filter, Row, field};
use crate::page::{self, Shape};
use crate::refusal::Refusal;
use crate::token::{Scope, Token};
use crate::world::activity::TYPES;
use crate::world::{World, put, text};

pub(super) const ACTIVITIES: &[Field] = &[
    field("ids", Ids, &["/id"]),
    field("activityTypes", OneOf, &["/activityType"]),
    field("activityUuids", OneOf, &["/activityUuid"]),
    field("threatIds", Ids, &["/threatId"]),
    field("agentIds", Ids, &["/agentId"]),
    field("siteIds", Ids, &["/siteId"]),
    field("accountIds", Ids, &["/accountId"]),
    field("groupIds", Ids, &["/groupId"]),
    field("userIds", Ids, &["/userId"]),
    field("createdAt", Time, &["/createdAt"]),
    field("includeHidden", NoEffect, &[]),
    field("alertIds", Nothing, &[]),
    field("ruleIds", Nothing, &[]),
    field("userEmails", Nothing, &[]),
];

pub(super) const SITES: &[Field] = &[
    field("siteIds", Ids, &["/id"]),
    field("accountIds", Ids, &["/accountId"]),
    field("accountId", Ids, &["/accountId"]),
    field("name", Contains, &["/name"]),
    field("name", Equal, &["/name"]),
    field("accountName", Contains, &["/accountName"]),
    field("query", Find, &["/name", "/accountName", "/description"]),
    field("state", OneOf, &["/state"]),
    field("states", OneOf, &["/state"]),
    field("siteType", Among(&["Trial", "Paid"]), &["/siteType"]),
    field("suite", OneOf, &["/suite"]),
    field("sku", OneOf, &["/sku"]),
    field("isDefault", Bool, &["/isDefault"]),
    field("healthStatus", Bool, &["/healthStatus"]),
    field("description", Contains, &["/description"]),
    field("description", Equal, &["/description"]),
    field("externalId", Equal, &["/externalId"]),
    field("registrationToken", Equal, &["/registrationToken"]),
    field("createdAt", Equal, &["/createdAt"]),
    field("updatedAt", Equal, &["/updatedAt"]),
    field("expiration", Equal, &["/expiration"]),
    field("adminOnly", Unplayed, &[]),
    field("availableMoveSites", Unplayed, &[]),
    field("features", Unplayed, &[]),
    field("module", Unplayed, &[]),
    field("totalLicenses", Number, &["/totalLicenses"]),
    field("activeLicenses", Number, &["/activeLicenses"]),
];

pub(super) const ACCOUNTS: &[Field] = &[
    field("ids", Ids, &["/id"]),
    field("accountIds", Ids, &["/id"]),
    field("name", Equal, &["/name"]),
    field("query", Find, &["/name"]),
    field("states", OneOf, &["/state"]),
    field("accountType", Among(&["Trial", "Paid"]), &["/accountType"]),
    field("createdAt", Equal, &["/createdAt"]),
    field("updatedAt", Equal, &["/updatedAt"]),
    field("expiration", Equal, &["/expiration"]),
    field("usageType", Among(&["customer", "mssp"]), &["/usageType"]),
    field("billingMode", Among(&["subscription", "consumption"]), &["/billingMode"]),
    field("totalLicenses", Number, &["/totalLicenses"]),
    field("activeLicenses", Unplayed, &[]),
    field("features", Unplayed, &[]),
    field("isDefault", Bool, &["/isDefault"]),
];

pub(super) const GROUPS: &[Field] = &[
    field("groupIds", Ids, &["/id"]),
    field("id", Ids, &["/id"]),
    field("siteIds", Ids, &["/siteId"]),
    field("name", Equal, &["/name"]),
    field("query", Find, &["/name", "/description"]),
    field("types", Among(&["static", "dynamic", "pinned"]), &["/type"]),
    field("type", Among(&["static", "dynamic", "pinned"]), &["/type"]),
    field("isDefault", Bool, &["/isDefault"]),
    field("description", Equal, &["/description"]),
    field("registrationToken", Equal, &["/registrationToken"]),
    field("accountIds", Ids, &["@/accountId"]),
    field("rank", Number, &["/rank"]),
    field("updatedAt", Time, &["/updatedAt"]),
];

pub(super) fn activities(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: page::MAX_SKIP,
        sorts: &[("id", "/id"), ("activityType", "/activityType"), ("createdAt", "/createdAt")],
    };
    let filter = Filter::parse(&call.params, ACTIVITIES)?;
    let seen = world.activities.iter().filter(|one| call.token.scope.sees(one.account, one.site)).map(|one| &one.doc);
    paged(page::cut(seen, &filter, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}

pub(super) fn activity_types() -> Answer {
    let list: Vec<Value> = TYPES
        .iter()
        .map(|(id, action, template)| json!({"id": id, "action": action, "descriptionTemplate": template}))
        .collect();
    ok(list.into())
}

pub(super) fn sites(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: page::MAX_SKIP,
        sorts: &[
            ("id", "/id"),
            ("name", "/name"),
            ("accountName", "/accountName"),
            ("siteType", "/siteType"),
            ("state", "/state"),
            ("suite", "/suite"),
            ("sku", "/sku"),
            ("createdAt", "/createdAt"),
            ("updatedAt", "/updatedAt"),
            ("totalLicenses", "/totalLicenses"),
            ("activeLicenses", "/activeLicenses"),
            ("expiration", "/expiration"),
            ("description", "/description"),
        ],
    };
    let filter = Filter::parse(&call.params, SITES)?;
    let seen = world.sites.iter().filter(|site| call.token.scope.sees(site.account, site.id)).map(|site| &site.doc);
    let page = page::cut(seen, &filter, &call.params, &SHAPE, call.strike.twice)?;
    let sum = |member: &str| page.rows.iter().filter_map(|site| site[member].as_u64()).sum::<u64>();
    let all = json!({"activeLicenses": sum("activeLicenses"), "totalLicenses": sum("totalLicenses")});
    let pagination = json!({"nextCursor": page.next_cursor, "totalItems": page.total});
    Ok(Reply::Json(json!({"data": {"allSites": all, "sites": page.rows}, "pagination": pagination})))
}

/// Users of a site may not look above it.
pub(super) fn accounts(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: page::MAX_SKIP,
        sorts: &[
            ("id", "/id"),
            ("name", "/name"),
            ("state", "/state"),
            ("accountType", "/accountType"),
            ("createdAt", "/createdAt"),
            ("updatedAt", "/updatedAt"),
            ("activeAgents", "/activeAgents"),
            ("numberOfSites", "/numberOfSites"),
            ("totalLicenses", "/totalLicenses"),
            ("expiration", "/expiration"),
            ("usageType", "/usageType"),
            ("billingMode", "/billingMode"),
        ],
    };
    if matches!(call.token.scope, Scope::Site(_)) {
        return Err(Refusal::Forbidden("the user's scope is below the account".to_owned()));
    }
    let filter = Filter::parse(&call.params, ACCOUNTS)?;
    let seen = world.accounts.iter().filter(|account| call.token.scope.sees(account.id, 0)).map(|account| &account.doc);
    paged(page::cut(seen, &filter, &call.params, &SHAPE, call.strike.twice)?, |doc| {
        let id = text(doc, "/id").parse().ok();
        let agents = world.agents.values().filter(|agent| Some(agent.account) == id).count();
        let mut doc = doc.clone();
        put(&mut doc, "activeAgents", agents);
        doc
    })
}

pub(super) fn groups(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 300,
        max_skip: page::MAX_SKIP,
        sorts: &[
            ("id", "/id"),
            ("name", "/name"),
            ("type", "/type"),
            ("rank", "/rank"),
            ("siteId", "/siteId"),
            ("createdAt", "/createdAt"),
            ("updatedAt", "/updatedAt"),
            ("description", "/description"),
        ],
    };
    let filter = Filter::parse(&call.params, GROUPS)?;
    let seen = world.groups.iter().filter_map(|group| {
        let site = world.site(group.site).filter(|site| call.token.scope.sees(site.account, site.id))?;
        Some(GroupRow { group: &group.doc, site: &site.doc })
    });
    paged(page::cut(seen, &filter, &call.params, &SHAPE, call.strike.twice)?, |row| row.group.clone())
}

/// A group and, behind `@`, the site it belongs to.
struct GroupRow<'a> {
    group: &'a Value,
    site: &'a Value,
}

impl Row for GroupRow<'_> {
    fn at(&self, pointer: &str) -> Option<&Value> {
        pointer.strip_prefix('@').map_or_else(|| self.group.pointer(pointer), |pointer| self.site.pointer(pointer))
    }
}

pub(super) fn user(world: &World, call: &Call) -> Answer {
    let token = &call.token;
    let role = token.capability.word();
    let role_id = token.user_id.to_string();
    let of = |id: u64, name: &Value| json!({"id": id.to_string(), "name": name, "accountName": name, "roleId": role_id, "roleName": role, "roles": [role]});
    let (scope, scope_roles, site_roles) = match token.scope {
        Scope::Console => ("tenant", json!([]), json!([])),
        Scope::Account(id) => {
            let account = world.accounts.iter().find(|account| account.id == id);
            ("account", json!([of(id, account.map_or(&Value::Null, |account| &account.doc["name"]))]), json!([]))
        }
        Scope::Site(id) => {
            let one = of(id, world.site(id).map_or(&Value::Null, |site| &site.doc["name"]));
            ("site", json!([one.clone()]), json!([one]))
        }
    };
    let tenant_roles = if scope == "tenant" { json!([role]) } else { json!([]) };
    ok(json!({
        "id": token.user_id.to_string(), "fullName": token.name, "email": null, "scope": scope, "scopeRoles": scope_roles,
        "siteRoles": site_roles, "tenantRoles": tenant_roles, "lowestRole": role, "apiToken": dates(token),
        "source": "mgmt", "isSystem": false, "canGenerateApiToken": false, "emailVerified": true, "agreedEula": true,
        "twoFaEnabled": false, "twoFaConfigured": false, "twoFaStatus": "not_configured", "dateJoined": print(token.created),
        "firstLogin": null, "lastLogin": null, "allowRemoteShell": false,
    }))
}

pub(super) fn token_details(call: &Call, user: &str) -> Answer {
    if user != call.token.user_id.to_string() {
        return Err(Refusal::NotFound(format!("no user {user}")));
    }
    ok(dates(&call.token))
}

pub(super) fn token_details_by_value(world: &World, call: &Call) -> Answer {
    let secret = call.data("apiToken")?;
    let token = world.tokens.list.iter().find(|token| token.secret == secret);
    token.map_or_else(|| Err(Refusal::Invalid("data.apiToken: not a known token".to_owned())), |token| ok(dates(token)))
}

pub(super) fn system_info() -> Answer {
    ok(
        json!({"release": "simulated", "version": "25.1.3", "build": "1", "patch": "0", "latestAgentVersion": "25.1.3.334"}),
    )
}

fn dates(token: &Token) -> Value {
    json!({"createdAt": print(token.created), "expiresAt": print(token.expires)})
}
