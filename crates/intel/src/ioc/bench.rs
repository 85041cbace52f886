//! Synthetic lists of any size, imported and loaded as real ones are, for measuring.
//!
//! It takes no time itself: whoever calls has the clock.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use domain::Timestamp;
use domain::ioc::Ioc;
use sha2::{Digest, Sha256};

use super::{Error, Format, Lists, import};
use crate::file::Draft;

/// How many values are given back of each kind.
const SAMPLES: u32 = 100_000;

#[derive(Debug)]
pub struct Bench {
    pub lists: Lists,
    /// Values that are in the lists.
    pub listed: Vec<Ioc>,
    /// Values of the same make that are not.
    pub unlisted: Vec<Ioc>,
}

/// Writes `n` values into a list in `folder`, imports it into a file there, and loads that. Both files stay.
pub fn bench(n: u32, folder: &Path) -> Result<Bench, Error> {
    let source = folder.join("bench-iocs.txt");
    let path = folder.join("bench-iocs.redb");
    let failed = |e| Error::read(&source, e);
    let mut out = std::io::BufWriter::new(std::fs::File::create(&source).map_err(failed)?);
    for number in 0..n {
        writeln!(out, "{}", value(number)).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    drop(out);

    let draft = Draft::of(&path)?;
    import(&draft, "bench", Format::Plain, &source, Timestamp::UNIX_EPOCH)?;
    let lists = Lists::load(&draft.publish()?)?;
    let step = (n / SAMPLES).max(1);
    let read = |number| Ioc::parse(&value(number));
    let listed = (0..n).step_by(step as usize).filter_map(read).collect();
    let unlisted = (0..n.min(SAMPLES)).filter_map(|number| read(u32::MAX - number)).collect();
    Ok(Bench { lists, listed, unlisted })
}

/// Half hashes, else domains, URLs and addresses: one number, one value.
fn value(number: u32) -> String {
    let digest = Sha256::digest(number.to_le_bytes());
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing into memory does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    match number % 6 {
        0..3 => hex,
        3 => format!("{}.example", &hex[..14]),
        4 => format!("http://{}.example/{}", &hex[..10], &hex[10..18]),
        _ => format!("2001:db8:{}:{}::{}", &hex[..4], &hex[4..8], &hex[8..12]),
    }
}
