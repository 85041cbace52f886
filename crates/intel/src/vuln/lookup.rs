//! All that is known of one CVE, for `yagura intel lookup CVE-…` and for a page.

use domain::vulnerability::{Epss, Kev, Published, Range, Score, Title, is_cve};
use jiff::civil::Date;
use serde::Serialize;

use super::{Database, score, told};
use crate::file::Error;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    pub cve: String,
    pub title: Option<Title>,
    pub published: Vec<Published>,
    pub cvss: Vec<Score>,
    pub epss: Option<Epss>,
    pub kev: Option<Kev>,
    pub products: Vec<Product>,
    pub data_as_of: Option<Date>,
}

/// One publisher's word on one product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    pub vendor: String,
    pub product: String,
    pub by: String,
    pub affected: Vec<Range>,
}

impl Database {
    /// `None`: these data do not know it, which says nothing about whether it exists.
    pub fn lookup_explained(&self, cve: &str) -> Result<Option<Explained>, Error> {
        let cve = cve.trim().to_ascii_uppercase();
        if !is_cve(&cve) {
            return Ok(None);
        }
        let records = self.records(&cve)?;
        let (epss, kev) = (self.epss(&cve)?, self.kev(&cve)?);
        if records.is_empty() && epss.is_none() && kev.is_none() {
            return Ok(None);
        }
        let (published, title) = told(&records);
        let products = records.iter().flat_map(|record| &record.affected).map(|affected| Product {
            vendor: affected.vendor.clone(),
            product: affected.product.clone(),
            by: affected.by.clone(),
            affected: affected.ranges().collect(),
        });
        Ok(Some(Explained {
            title,
            published,
            cvss: records.iter().flat_map(|record| record.scores.iter().map(score::shown)).collect(),
            epss,
            kev,
            products: products.collect(),
            data_as_of: self.as_of(),
            cve,
        }))
    }
}
