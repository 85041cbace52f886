//! What the address asks for: a period in whole days of Japan, and whose cycles. What does not parse is as good as absent.

use domain::attainment::{Measured, Span, Standing, Target};
use domain::calendar::{in_japan, jst};
use domain::oncall::Roster;
use domain::{Priority, SiteId, TenantId, Text, Timestamp};
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use serde::Deserialize;

use crate::say::Say;

/// Longest period that is asked for by its days.
const MOST_DAYS: i32 = 366;

#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Asked {
    period: Option<String>,
    from: Option<String>,
    to: Option<String>,
    tenant: Option<String>,
    priority: Option<String>,
    site: Option<String>,
    clock: Option<String>,
    standing: Option<String>,
    span: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    ThisMonth,
    LastMonth,
    Week,
    Month,
    Quarter,
    /// Both days are in it.
    Own(Date, Date),
}

/// The site of the person who acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Site {
    At(SiteId),
    /// Nobody acknowledged it, or somebody who has no shift.
    Nowhere,
}

/// What a number is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    All,
    /// Without a standing: what the percentage is of.
    Target(Target, Option<Standing>),
    Span(Span),
}

#[derive(Debug, Clone)]
pub(super) struct Filters {
    pub(super) period: Period,
    pub(super) tenant: Option<TenantId>,
    pub(super) priority: Option<Priority>,
    pub(super) site: Option<Site>,
    today: Date,
}

impl Filters {
    pub(super) fn of(asked: &Asked, now: Timestamp) -> Self {
        let chosen = Period::CHOICES.into_iter().find(|period| Some(period.name()) == asked.period.as_deref());
        let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Date>().ok());
        let own = match (asked.period.as_deref(), day(&asked.from), day(&asked.to)) {
            (Some("own"), Some(from), Some(to)) => Period::own(from, to),
            _ => None,
        };
        let site = asked.site.as_deref().filter(|site| !site.is_empty());
        Self {
            period: own.or(chosen).unwrap_or(Period::ThisMonth),
            tenant: asked.tenant.as_deref().and_then(|tenant| tenant.parse().ok()),
            priority: asked.priority.as_deref().and_then(|priority| priority.parse().ok()),
            site: site.and_then(|site| match site {
                Site::NONE => Some(Site::Nowhere),
                id => id.parse().ok().map(Site::At),
            }),
            today: in_japan(now).date(),
        }
    }

    /// First and last day.
    pub(super) fn days(&self) -> (Date, Date) {
        self.period.days(self.today)
    }

    pub(super) fn period(&self) -> store::Period {
        let (from, to) = self.days();
        let midnight = |day: Date| jst().to_timestamp(day.to_datetime(Time::midnight())).unwrap_or(Timestamp::MAX);
        let end = to.checked_add(1.day()).map_or(Timestamp::MAX, midnight);
        store::Period { from: midnight(from), to: end, tenant: self.tenant.clone(), priority: self.priority }
    }

    pub(super) fn named(&self, say: Say) -> String {
        let (from, to) = self.days();
        say.pick(format!("{from} 〜 {to}（日本時間）"), format!("{from} to {to}, days in Japan"))
    }

    /// The address of these filters, without the path.
    pub(super) fn search(&self) -> String {
        format!("?{}", self.parts().join("&"))
    }

    pub(super) fn search_behind(&self, behind: Behind) -> String {
        let mut parts = self.parts();
        match behind {
            Behind::All => {}
            Behind::Target(target, standing) => {
                parts.push(format!("clock={}", target.name()));
                parts.extend(standing.map(|standing| format!("standing={}", standing.name())));
            }
            Behind::Span(span) => parts.push(format!("span={}", span.name())),
        }
        format!("?{}", parts.join("&"))
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = vec![format!("period={}", self.period.name())];
        if let Period::Own(from, to) = self.period {
            parts.push(format!("from={from}&to={to}"));
        }
        parts.extend(self.tenant.as_ref().map(|tenant| format!("tenant={tenant}")));
        parts.extend(self.priority.map(|priority| format!("priority={}", priority.name())));
        parts.extend(self.site.as_ref().map(|site| match site {
            Site::At(id) => format!("site={id}"),
            Site::Nowhere => format!("site={}", Site::NONE),
        }));
        parts
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }
}

impl Period {
    pub(super) const CHOICES: [Self; 5] = [Self::ThisMonth, Self::LastMonth, Self::Week, Self::Month, Self::Quarter];

    pub(super) fn own(from: Date, to: Date) -> Option<Self> {
        let days = to.since(from).ok()?.get_days();
        (0..MOST_DAYS).contains(&days).then_some(Self::Own(from, to))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ThisMonth => "this-month",
            Self::LastMonth => "last-month",
            Self::Week => "7-days",
            Self::Month => "30-days",
            Self::Quarter => "90-days",
            Self::Own(..) => "own",
        }
    }

    pub(super) fn text(self) -> Text {
        match self {
            Self::ThisMonth => Text::new("今月", "This month"),
            Self::LastMonth => Text::new("先月", "Last month"),
            Self::Week => Text::new("直近7日", "Last 7 days"),
            Self::Month => Text::new("直近30日", "Last 30 days"),
            Self::Quarter => Text::new("直近90日", "Last 90 days"),
            Self::Own(..) => Text::new("日付を指定", "From – to"),
        }
    }

    fn days(self, today: Date) -> (Date, Date) {
        let back = |days: i64| today.saturating_sub(days.days());
        match self {
            Self::ThisMonth => (today.first_of_month(), today),
            Self::LastMonth => {
                let last = today.first_of_month().saturating_sub(1.day());
                (last.first_of_month(), last)
            }
            Self::Week => (back(6), today),
            Self::Month => (back(29), today),
            Self::Quarter => (back(89), today),
            Self::Own(from, to) => (from, to),
        }
    }
}

impl Site {
    /// In an address. No site has such an id.
    pub(super) const NONE: &'static str = "_";

    pub(super) fn holds(&self, row: &Measured, roster: &Roster) -> bool {
        let found = row.acknowledged_by.as_ref().and_then(|by| roster.site_of(by));
        match self {
            Self::At(id) => found.is_some_and(|site| site.id == *id),
            Self::Nowhere => found.is_none(),
        }
    }
}

impl Behind {
    pub(super) fn of(asked: &Asked) -> Self {
        let target = Target::ALL.into_iter().find(|target| Some(target.name()) == asked.clock.as_deref());
        let standing = Standing::ALL.into_iter().find(|standing| Some(standing.name()) == asked.standing.as_deref());
        let span = Span::ALL.into_iter().find(|span| Some(span.name()) == asked.span.as_deref());
        match (target, span) {
            (Some(target), _) => Self::Target(target, standing),
            (None, Some(span)) => Self::Span(span),
            (None, None) => Self::All,
        }
    }

    pub(super) fn holds(self, row: &Measured, now: Timestamp) -> bool {
        match self {
            Self::All => true,
            Self::Target(target, Some(standing)) => row.standing(target, now) == standing,
            Self::Target(target, None) => row.standing(target, now).counts(),
            Self::Span(span) => row.span(span).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(period: &str, from: &str, to: &str) -> (String, String) {
        let asked =
            Asked { period: Some(period.into()), from: Some(from.into()), to: Some(to.into()), ..Asked::default() };
        // 08:30 on 1 March in Japan, and still February in UTC.
        let (from, to) = Filters::of(&asked, "2027-02-28T23:30:00Z".parse().unwrap()).days();
        (from.to_string(), to.to_string())
    }

    #[test]
    fn a_period_is_whole_days_of_japan() {
        for (period, from, to) in [
            ("this-month", "2027-03-01", "2027-03-01"),
            ("last-month", "2027-02-01", "2027-02-28"),
            ("7-days", "2027-02-23", "2027-03-01"),
            ("30-days", "2027-01-31", "2027-03-01"),
            ("anything", "2027-03-01", "2027-03-01"),
        ] {
            assert_eq!(days(period, "", ""), (from.to_owned(), to.to_owned()), "{period}");
        }
        assert_eq!(days("own", "2026-01-01", "2026-12-31"), ("2026-01-01".into(), "2026-12-31".into()));
        for (from, to) in [("2026-02-01", "2026-01-01"), ("2020-01-01", "2026-01-01"), ("2026-02-30", "2026-03-01")] {
            assert_eq!(days("own", from, to).0, "2027-03-01", "{from} to {to}");
        }
        let read = Filters::of(&Asked::default(), "2027-02-28T23:30:00Z".parse().unwrap()).period();
        assert_eq!(read.from.to_string(), "2027-02-28T15:00:00Z");
        assert_eq!(read.to.to_string(), "2027-03-01T15:00:00Z");
    }

    #[test]
    fn an_address_leads_back_to_what_made_it() {
        let asked = Asked {
            period: Some("own".into()),
            from: Some("2026-11-01".into()),
            to: Some("2026-11-30".into()),
            tenant: Some("sakura".into()),
            priority: Some("P0".into()),
            site: Some("_".into()),
            ..Asked::default()
        };
        let filters = Filters::of(&asked, "2027-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(filters.search(), "?period=own&from=2026-11-01&to=2026-11-30&tenant=sakura&priority=P0&site=_");
        let hostile = Asked { tenant: Some("\"><script>".into()), site: Some("../x".into()), ..Asked::default() };
        assert_eq!(Filters::of(&hostile, Timestamp::UNIX_EPOCH).search(), "?period=this-month");
    }
}
