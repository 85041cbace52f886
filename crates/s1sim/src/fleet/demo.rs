//! The three customers of the demo. The named hosts are the ones scenarios play on; the numbered ones fill the
//! estate up to the size of a real customer, because caps and prevalence are shares of it.

use super::{Customer, Fleet, Host, Language, Role};

pub(super) fn fleet(extra: usize) -> Fleet {
    Fleet {
        customers: vec![
            customer(
                (
                    "hoshimi",
                    "Hoshimi Seiko / 星見精工",
                    "本社・長野工場",
                    Language::Japanese,
                    "HOSHIMI",
                    "203.0.113.24",
                ),
                "HSM",
                ["sato.kenji", "suzuki.miho", "takahashi.ryo", "tanaka.yuki", "ito.haruka", "watanabe.sho"],
                ["hoshimi.takeshi", "nakagawa.emi"],
                extra,
            ),
            customer(
                ("northmere", "Northmere Logistics", "Leith HQ", Language::English, "NORTHMERE", "198.51.100.77"),
                "NML",
                ["o.bryce", "h.lindqvist", "p.okafor", "j.marsh", "s.devlin", "r.castellane"],
                ["g.northmere", "a.whitlock"],
                extra,
            ),
            customer(
                (
                    "kanata",
                    "Kanata Holdings / 彼方ホールディングス",
                    "Tokyo - Singapore",
                    Language::Both,
                    "KANATA",
                    "192.0.2.140",
                ),
                "KNT",
                ["mori.ayaka", "l.tan", "kimura.jun", "d.fernando", "hayashi.noa", "c.ong"],
                ["kanata.reiko", "m.holloway"],
                extra,
            ),
        ],
    }
}

fn customer(
    (key, account, site, language, domain, external_ip): (&str, &str, &str, Language, &str, &str),
    prefix: &str,
    users: [&str; 6],
    executives: [&str; 2],
    extra: usize,
) -> Customer {
    let host = |name: &str, role, user: &str| Host::new(&format!("{prefix}-{name}"), role, user);
    let mut hosts = vec![
        host("PC-0101", Role::Desktop, users[0]),
        host("PC-0102", Role::Desktop, users[1]),
        host("PC-0103", Role::Desktop, users[2]),
        host("PC-0104", Role::Desktop, users[3]),
        host("PC-0105", Role::Desktop, users[4]),
        host("PC-0106", Role::Desktop, users[5]),
        host("NB-0201", Role::Laptop, users[4]),
        host("NB-0202", Role::Laptop, users[5]),
        host("NB-0203", Role::Laptop, users[0]),
        host("MAC-0301", Role::Mac, users[2]),
        host("EX-0001", Role::Executive, executives[0]),
        host("EX-0002", Role::Executive, executives[1]),
        host("FS01", Role::FileServer, "svc-files"),
        host("APP01", Role::AppServer, "svc-erp"),
        host("BK01", Role::BackupServer, "svc-backup"),
        host("WEB01", Role::LinuxServer, "www-data"),
        host("DC01", Role::DomainController, "administrator"),
        host("DC02", Role::DomainController, "administrator"),
    ];
    hosts.extend((0..extra).map(|n| {
        let (name, role) = if n % 3 == 0 { ("NB", Role::Laptop) } else { ("PC", Role::Desktop) };
        host(&format!("{name}-{:04}", 1001 + n), role, &format!("{}{}", users[n % users.len()], n / users.len() + 2))
    }));
    Customer {
        key: key.to_owned(),
        account: account.to_owned(),
        site: site.to_owned(),
        language,
        domain: domain.to_owned(),
        external_ip: external_ip.to_owned(),
        hosts,
    }
}
