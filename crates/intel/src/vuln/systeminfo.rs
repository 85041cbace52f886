//! Reads what `systeminfo`, `wmic qfe` and the like print, in whatever language Windows speaks, for the parts that tell an
//! edition and its updates. It trusts forms of numbers, never a label.

use std::collections::BTreeSet;

use domain::Untrusted;
use domain::endpoint::Os;
use domain::vulnerability::{Architecture, System};

/// Far above any machine's list.
const MAX_BYTES: usize = 4 << 20;

pub fn read(bytes: &[u8]) -> Result<System, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let text = decode(bytes);
    let version =
        text.lines().find_map(|line| line.split_whitespace().find(|word| is_build(word)).map(|word| (line, word)));
    let name = text.lines().find(|line| {
        let lower = line.to_lowercase();
        lower.contains("microsoft") && lower.contains("windows") && !lower.contains('\\')
    });
    let (Some((line, build)), Some(name)) = (version, name) else {
        return Err("no line names a version and an edition of Windows".to_owned());
    };
    let service_pack = line.split_once("Service Pack ").and_then(|(_, rest)| rest.chars().next()?.to_digit(10));
    let lower = text.to_lowercase();
    let architecture = if lower.contains("x64-based") {
        Architecture::X64
    } else if lower.contains("arm64-based") {
        Architecture::Arm64
    } else if lower.contains("x86-based") {
        Architecture::X86
    } else {
        Architecture::Unknown
    };
    let name = name.to_lowercase().find("microsoft").and_then(|at| name.get(at..)).unwrap_or(name);
    Ok(System {
        os: Os::Windows,
        name: Untrusted::new(name.trim()),
        build: Some(Untrusted::new(build)),
        service_pack: service_pack.and_then(|n| u8::try_from(n).ok()),
        architecture,
        updates: Some(updates(&text)),
    })
}

/// Every `KB` with a number behind it, once.
fn updates(text: &str) -> Vec<u32> {
    let upper = text.to_ascii_uppercase();
    let numbers = upper.split("KB").skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (digits.len() >= 5).then(|| digits.parse().ok())?
    });
    numbers.collect::<BTreeSet<u32>>().into_iter().collect()
}

/// `10.0.17763`, `6.1.7601`.
fn is_build(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() >= 3
        && parts.iter().all(|part| !part.is_empty() && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_digit()))
        && matches!(parts[0], "5" | "6" | "10")
        && parts[2].len() >= 4
}

fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units).replace('\u{a0}', " ")
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.replace(['\u{a0}', '\u{feff}'], " "),
            // A console's code page: letters beyond ASCII matter to no part that is read, only its hard space does.
            Err(_) => bytes.iter().map(|b| if matches!(b, 0xa0 | 0xff) { ' ' } else { char::from(*b) }).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_french_console_is_read_like_an_english_one() {
        let mut text = b"Nom du syst\x8ame d'exploitation: Microsoft Windows\xff7 Entreprise N\r\nVersion du syst\x8ame: 6.1.7601 Service Pack 1 version 7601\r\n".to_vec();
        text.extend(b"Type du syst\x8ame: x64-based PC\r\nVersion du BIOS: Phoenix 6.00, 13/04/2018\r\n[01]: KB4012212\r\n[02]: KB2534111 KB4012212\r\n");
        let system = read(&text).unwrap();
        assert_eq!(system.name.for_matching(), "Microsoft Windows 7 Entreprise N");
        assert_eq!(system.service_pack, Some(1));
        assert_eq!(system.architecture, Architecture::X64);
        assert_eq!(system.updates, Some(vec![2_534_111, 4_012_212]));
    }

    #[test]
    fn a_text_without_an_edition_is_refused() {
        assert!(read(b"Caption  HotFixID\r\nx KB4012212\r\n").is_err());
    }
}
