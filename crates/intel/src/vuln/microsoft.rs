//! Updates of Windows: which CVE each closes on which system, and which update replaces which (definitions of wesng, from
//! Microsoft's own data).
//!
//! A vulnerability counts as closed when an installed update closes it, or replaces, over any number of steps, one that does.
//! It lists what is not closed; it does not say which single update is best installed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::vulnerability::{Architecture, System, is_cve};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// All that is known of one product name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) cve: String,
    pub(crate) update: Option<u32>,
    pub(crate) posted: Option<Date>,
    pub(crate) title: String,
    pub(crate) replaces: Vec<u32>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "DatePosted")]
    posted: String,
    #[serde(rename = "CVE")]
    cve: String,
    #[serde(rename = "BulletinKB")]
    update: String,
    #[serde(rename = "Title")]
    title: String,
    #[serde(rename = "AffectedProduct")]
    product: String,
    #[serde(rename = "Supersedes")]
    replaces: String,
}

/// Reads the CSV into products; `refuse` hears of bad lines.
pub(crate) fn read(csv: impl std::io::Read, mut refuse: impl FnMut(u64, String)) -> BTreeMap<String, Product> {
    let mut products: BTreeMap<String, BTreeSet<Row>> = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(csv);
    for (at, row) in reader.deserialize::<Wire>().enumerate() {
        match row {
            Ok(wire) if wire.product.contains("Windows") => {
                let product = wire.product.clone();
                products.entry(product).or_default().insert(Row::from(wire));
            }
            Ok(_) => {}
            Err(e) => refuse(at as u64 + 2, e.to_string()),
        }
    }
    products.into_iter().map(|(name, rows)| (name, Product { rows: rows.into_iter().collect() })).collect()
}

impl From<Wire> for Row {
    fn from(wire: Wire) -> Self {
        Self {
            // Service packs and advisories stand among the CVEs; their updates still replace others.
            cve: if is_cve(&wire.cve) { wire.cve } else { String::new() },
            update: wire.update.parse().ok(),
            posted: Date::strptime("%Y%m%d", &wire.posted).ok(),
            title: wire.title.chars().take(200).collect(),
            replaces: wire.replaces.split(';').filter_map(|kb| kb.trim().parse().ok()).collect(),
        }
    }
}

/// One CVE that no installed update closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) cve: String,
    /// The newest update that closes it; `None` when the data name none for this system.
    pub(crate) update: Option<u32>,
    pub(crate) posted: Option<Date>,
    pub(crate) title: String,
    /// It stands only under a component on this system (`Internet Explorer 11 on Windows …`), which may not be there.
    pub(crate) component_only: bool,
}

/// What is open on a system, given the products of the data that name it. The flag tells a component on it from the system.
pub(crate) fn open(products: &[(bool, Product)], installed: &[u32]) -> Vec<Open> {
    let rows =
        || products.iter().flat_map(|(component, product)| product.rows.iter().map(move |row| (*component, row)));
    let covered = covered(rows().map(|(_, row)| row), installed);
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    let mut closed: BTreeSet<&str> = BTreeSet::new();
    for (component, row) in rows().filter(|(_, row)| !row.cve.is_empty()) {
        if row.update.is_some_and(|kb| covered.contains(&kb)) {
            closed.insert(&row.cve);
            continue;
        }
        let this = || Open {
            cve: row.cve.clone(),
            update: row.update,
            posted: row.posted,
            title: row.title.clone(),
            component_only: component,
        };
        let entry = open.entry(&row.cve).or_insert_with(this);
        entry.component_only &= component;
        if (row.update.is_some(), row.posted) > (entry.update.is_some(), entry.posted) {
            *entry = Open { component_only: entry.component_only, ..this() };
        }
    }
    open.retain(|cve, _| !closed.contains(cve));
    open.into_values().collect()
}

/// The installed updates and everything they replace, over all steps.
fn covered<'a>(rows: impl Iterator<Item = &'a Row>, installed: &[u32]) -> HashSet<u32> {
    let mut replaces: HashMap<u32, HashSet<u32>> = HashMap::new();
    for row in rows {
        if let Some(kb) = row.update {
            replaces.entry(kb).or_default().extend(&row.replaces);
        }
    }
    let mut covered = HashSet::new();
    let mut next: Vec<u32> = installed.to_vec();
    while let Some(kb) = next.pop() {
        if covered.insert(kb) {
            next.extend(replaces.get(&kb).into_iter().flatten());
        }
    }
    covered
}

/// What distinguishes one edition of Windows from another in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edition {
    /// `10`, `server 2012 r2`, `vista`.
    family: String,
    /// `1809`, `22h2`; empty where there is only one.
    release: String,
    /// 0 also where the data know only one.
    service_pack: u8,
    architecture: Architecture,
}

/// Build numbers of the releases that share a name.
const RELEASES: [(u32, &str); 20] = [
    (10240, "1507"),
    (10586, "1511"),
    (14393, "1607"),
    (15063, "1703"),
    (16299, "1709"),
    (17134, "1803"),
    (17763, "1809"),
    (18362, "1903"),
    (18363, "1909"),
    (19041, "2004"),
    (19042, "20h2"),
    (19043, "21h1"),
    (19044, "21h2"),
    (19045, "22h2"),
    (22000, "21h2"),
    (22621, "22h2"),
    (22631, "23h2"),
    (26100, "24h2"),
    (26200, "25h2"),
    (28000, "26h1"),
];

impl Edition {
    /// Of an endpoint. `None` when its name or build is none of Windows that is known here.
    pub(crate) fn of(system: &System) -> Option<Self> {
        let name = system.name.for_matching().to_lowercase().replace("(r)", " ").replace(['®', '™', '\u{a0}'], " ");
        let build: Option<u32> = system.build.as_ref().and_then(|b| b.for_matching().split('.').nth(2)?.parse().ok());
        let words: Vec<&str> = name.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with("windows"))?;
        let words = &words[at + 1..];
        let server = words.first().is_some_and(|word| word.starts_with("server"));
        let second = words.get(usize::from(server))?.trim_end_matches(',');
        let r2 = words.get(usize::from(server) + 1) == Some(&"r2");
        let family = match second {
            vista if vista.starts_with("vista") => "vista".to_owned(),
            // Windows 11 calls itself 10 in places; the build does not.
            "10" if build.is_some_and(|b| b >= 22000) => "11".to_owned(),
            number => format!("{}{number}{}", if server { "server " } else { "" }, if r2 { " r2" } else { "" }),
        };
        let release = match family.as_str() {
            "10" | "11" => RELEASES.iter().find(|(number, _)| Some(*number) == build)?.1,
            _ => "",
        };
        let architecture = match system.architecture {
            // The only ones that exist as 64 bit alone.
            Architecture::Unknown if matches!(family.as_str(), "server 2008 r2" | "server 2012" | "server 2012 r2") => {
                Architecture::X64
            }
            Architecture::Unknown if server && second >= "2016" => Architecture::X64,
            other => other,
        };
        // Server 2008 came out as its own first service pack.
        let service_pack = match (family.as_str(), system.service_pack.unwrap_or(0)) {
            ("server 2008", 1) => 0,
            (_, number) => number,
        };
        Some(Self { family, release: release.to_owned(), service_pack, architecture })
    }

    /// Of a product name in the data, and whether it is a component on that edition.
    pub(crate) fn named(product: &str) -> Option<(bool, Self)> {
        let lower = product.to_lowercase();
        let (component, os) = match lower.rsplit_once(" on ").or_else(|| lower.rsplit_once(" installed on ")) {
            Some((_, os)) => (true, os),
            None => (false, lower.as_str()),
        };
        let os = os.strip_prefix("microsoft ").unwrap_or(os).strip_prefix("windows ")?;
        let os = os.replace("(server core installation)", " ").replace(',', " ");
        let mut words: Vec<&str> = os.split_whitespace().collect();
        let mut take = |found: &dyn Fn(&str) -> bool, with_next: bool| -> Option<String> {
            let at = words.iter().position(|word| found(word))?;
            words.remove(at);
            Some(if with_next && at < words.len() { words.remove(at).to_owned() } else { String::new() })
        };
        let service_pack = take(&|w| w == "service", false)
            .and_then(|_| take(&|w| w == "pack", true))
            .map_or(Some(0), |number| number.parse().ok())?;
        let release = take(&|w| w == "version", true);
        let x64 = ["x64-based", "x64"].iter().any(|arch| take(&|w| w == *arch, false).is_some());
        let x86 = take(&|w| w == "32-bit", false).is_some();
        let arm = ["arm64-based", "arm64", "arm"].iter().any(|arch| take(&|w| w == *arch, false).is_some());
        for filler in ["for", "systems", "edition", "professional"] {
            take(&|w| w == filler, false);
        }
        let family = words.join(" ");
        const FAMILIES: [&str; 17] = [
            "xp",
            "vista",
            "7",
            "8",
            "8.1",
            "10",
            "11",
            "server 2003",
            "server 2003 r2",
            "server 2008",
            "server 2008 r2",
            "server 2012",
            "server 2012 r2",
            "server 2016",
            "server 2019",
            "server 2022",
            "server 2025",
        ];
        if !FAMILIES.contains(&family.as_str()) {
            return None;
        }
        let new_server = matches!(
            family.as_str(),
            "server 2012" | "server 2012 r2" | "server 2016" | "server 2019" | "server 2022" | "server 2025"
        );
        let architecture = match (x64 || new_server, x86, arm) {
            (true, ..) => Architecture::X64,
            (_, _, true) => Architecture::Arm64,
            // Old systems are of 32 bits unless their name says otherwise.
            (_, true, _) => Architecture::X86,
            _ if matches!(family.as_str(), "xp" | "vista" | "server 2003" | "server 2003 r2") => Architecture::X86,
            _ => return None,
        };
        let release = match (family.as_str(), release) {
            ("10", None) => "1507".to_owned(),
            (_, release) => release.unwrap_or_default(),
        };
        Some((component, Self { family, release, service_pack, architecture }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Untrusted;
    use domain::endpoint::Os;

    fn row(cve: &str, update: u32, replaces: &[u32]) -> Row {
        Row { cve: cve.into(), update: Some(update), posted: None, title: String::new(), replaces: replaces.to_vec() }
    }

    #[test]
    fn an_update_closes_what_it_replaces_over_any_number_of_steps() {
        let rows =
            vec![row("CVE-2024-0001", 100, &[]), row("CVE-2024-0002", 200, &[100]), row("CVE-2024-0003", 300, &[200])];
        let open_with = |installed: &[u32]| -> Vec<String> {
            open(&[(false, Product { rows: rows.clone() })], installed).into_iter().map(|o| o.cve).collect()
        };
        assert_eq!(open_with(&[300]), Vec::<String>::new());
        assert_eq!(open_with(&[200]), ["CVE-2024-0003"]);
        assert_eq!(open_with(&[]).len(), 3, "a CVE stays open although a newer update also closes it");
    }

    #[test]
    fn updates_that_replace_each_other_in_a_ring_come_to_an_end() {
        let rows = vec![row("CVE-2024-0001", 1, &[2]), row("CVE-2024-0002", 2, &[1])];
        assert!(open(&[(false, Product { rows })], &[2]).is_empty());
    }

    #[test]
    fn an_endpoint_meets_the_name_that_the_data_have_for_it() {
        for (name, build, pack, architecture, product) in [
            (
                "Microsoft Windows 10 Pro",
                "10.0.17763",
                None,
                Architecture::X64,
                "Windows 10 Version 1809 for x64-based Systems",
            ),
            (
                "Microsoft Windows 11 Home",
                "10.0.22000",
                None,
                Architecture::X64,
                "Windows 11 version 21H2 for x64-based Systems",
            ),
            (
                "Windows Server 2012 R2 Standard",
                "6.3.9600",
                None,
                Architecture::Unknown,
                "Windows Server 2012 R2 (Server Core installation)",
            ),
            (
                "Microsoft(R) Windows(R) Server 2003 Standard",
                "5.2.3790",
                Some(1),
                Architecture::X64,
                "Microsoft Windows Server 2003 x64 Edition Service Pack 1",
            ),
            (
                "Microsoft Windows 7 Enterprise",
                "6.1.7601",
                Some(1),
                Architecture::X64,
                "Windows 7 for x64-based Systems Service Pack 1",
            ),
        ] {
            let system = System {
                os: Os::Windows,
                name: Untrusted::new(name),
                build: Untrusted::some(Some(build)),
                service_pack: pack,
                architecture,
                updates: None,
            };
            assert_eq!(Edition::named(product), Edition::of(&system).map(|e| (false, e)), "`{name}`");
        }
        assert!(Edition::named("Windows Admin Center").is_none());
        assert!(Edition::named("Internet Explorer 11 on Windows 10 Version 1809 for x64-based Systems").unwrap().0);
    }

    #[test]
    fn a_bad_line_of_the_definitions_is_told_and_the_rest_is_kept() {
        let text = "\"DatePosted\",\"CVE\",\"BulletinKB\",\"Title\",\"AffectedProduct\",\"AffectedComponent\",\"Severity\",\"Impact\",\"Supersedes\",\"Exploits\"\n\
            broken\n\"20240813\",\"CVE-2024-38063\",\"5043050\",\"t\",\"Windows Server 2019\",\"c\",\"Critical\",\"i\",\"5041578;1\",\n";
        let mut refused = Vec::new();
        let products = read(text.as_bytes(), |line, why| refused.push((line, why)));
        assert_eq!(refused[0].0, 2);
        let row = &products["Windows Server 2019"].rows[0];
        assert_eq!(
            (row.update, row.replaces.clone(), row.posted),
            (Some(5_043_050), vec![5_041_578, 1], Some(jiff::civil::date(2024, 8, 13)))
        );
    }
}
