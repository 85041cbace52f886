//! Brings the name that Windows shows and the name that a record uses to one form, and weighs the maker.
//!
//! `7-Zip 19.00 (x64)` by `Igor Pavlov` and `cpe:2.3:a:7-zip:7-zip` meet in `7zip`. It knows rules, no single product.

use std::collections::BTreeSet;

use domain::vulnerability::Software;

/// The ways that one piece of software may be called, and who makes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) keys: BTreeSet<String>,
    publisher: Vec<String>,
    /// Vendor and product that a package dictionary names.
    packaged: Vec<(String, String)>,
}

/// How well a record's product fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    NameOnly,
    Packaged,
    Maker,
}

impl Names {
    pub(crate) fn of(software: &Software, packaged: Vec<(String, String)>) -> Self {
        let publisher = software.publisher.as_ref().map_or(Vec::new(), |p| maker_words(p.for_matching()));
        let version = software.version.as_ref().map_or("", |v| v.for_matching());
        let words = shown_words(software.product.for_matching(), version);
        let mut keys = BTreeSet::from([words.concat()]);
        // `Mozilla Firefox` is `Firefox` of Mozilla.
        let led = words.iter().zip(&publisher).take_while(|(a, b)| a == b).count();
        let led = led.max(usize::from(words.first().is_some_and(|first| publisher.contains(first))));
        if led < words.len() {
            keys.insert(words[led..].concat());
        }
        keys.extend(packaged.iter().map(|(_, product)| words_of(product).concat()));
        keys.remove("");
        Self { keys, publisher, packaged }
    }

    pub(crate) fn fits(&self, vendor: &str, product: &str) -> Option<Fit> {
        if !product_keys(vendor, product).iter().any(|key| self.keys.contains(key)) {
            return None;
        }
        if self.packaged.iter().any(|(v, p)| same(v, vendor) && same(p, product)) {
            return Some(Fit::Packaged);
        }
        let vendor_words = maker_words(vendor);
        let vendor_key = vendor_words.concat();
        let own = self.publisher.concat();
        if self.publisher.is_empty() {
            // A project that bears its product's name, or a shown name that begins with the maker's.
            let named = self.keys.contains(&vendor_key)
                || self.keys.contains(&format!("{vendor_key}{}", words_of(product).concat()));
            return Some(if named { Fit::Maker } else { Fit::NameOnly });
        }
        let shared = vendor_words.iter().any(|word| word.len() > 1 && self.publisher.contains(word));
        let within = |a: &str, b: &str| a.len() > 2 && b.contains(a);
        if shared || within(&vendor_key, &own) || within(&own, &vendor_key) {
            return Some(Fit::Maker);
        }
        // Vendors named after their product prove nothing against a publisher that is a person or a foundation.
        let product_key = words_of(product).concat();
        (vendor_key == product_key || within(&own, &product_key) || within(&product_key, &own)).then_some(Fit::NameOnly)
    }
}

/// What a record's product is filed under: with and without its maker's name in front.
pub(crate) fn product_keys(vendor: &str, product: &str) -> BTreeSet<String> {
    let words = words_of(product);
    let maker = maker_words(vendor);
    let mut keys = BTreeSet::from([words.concat()]);
    if words.len() > 1 && maker.contains(&words[0]) {
        keys.insert(words[1..].concat());
    }
    keys.remove("");
    keys
}

pub(crate) fn same(a: &str, b: &str) -> bool {
    words_of(a).concat() == words_of(b).concat()
}

/// Letters and digits of every script in lower case, cut at everything else; a plus sign stands for itself in C++ and Notepad++.
fn words_of(text: &str) -> Vec<String> {
    let text: String = text.chars().take(200).collect::<String>().to_lowercase().replace('\\', "");
    let text = without_brackets(&text);
    text.split(|c: char| !c.is_alphanumeric() && c != '+').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// A shown name without version, architecture and language.
fn shown_words(name: &str, version: &str) -> Vec<String> {
    const SAYS_NOTHING: [&str; 17] = [
        "x64", "x86", "amd64", "win64", "win32", "arm64", "64bit", "32bit", "64-bit", "32-bit", "version", "release",
        "edition", "ja", "en-us", "ja-jp", "for",
    ];
    let lower = without_brackets(&name.to_lowercase());
    let kept: Vec<&str> = lower
        .split_whitespace()
        .filter(|word| {
            let number = word.trim_start_matches('v');
            let numeric = number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.');
            let is_version = *word == version.to_lowercase()
                || numeric && number.chars().filter(char::is_ascii_digit).count() * 2 >= number.len() - 1;
            !is_version && !SAYS_NOTHING.contains(word)
        })
        .collect();
    words_of(&kept.join(" "))
}

fn maker_words(text: &str) -> Vec<String> {
    const LEGAL: [&str; 26] = [
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "ltd",
        "limited",
        "llc",
        "co",
        "company",
        "gmbh",
        "ag",
        "sa",
        "srl",
        "bv",
        "kk",
        "plc",
        "the",
        "foundation",
        "project",
        "team",
        "software",
        "technologies",
        "systems",
        "and",
        "contributors",
        "group",
    ];
    let words = words_of(text);
    let kept: Vec<String> = words.iter().filter(|w| !LEGAL.contains(&w.as_str())).cloned().collect();
    if kept.is_empty() { words } else { kept }
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|c| match c {
            '(' | '[' | '（' => {
                depth += 1;
                false
            }
            ')' | ']' | '）' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Untrusted;

    fn fit(shown: &str, publisher: &str, version: &str, vendor: &str, product: &str) -> Option<Fit> {
        let software = Software {
            product: Untrusted::new(shown),
            publisher: Untrusted::some(Some(publisher)),
            version: Untrusted::some(Some(version)),
            ..Software::default()
        };
        Names::of(&software, Vec::new()).fits(vendor, product)
    }

    #[test]
    fn a_shown_name_meets_the_record_of_the_same_product() {
        for (shown, publisher, version, vendor, product) in [
            ("Mozilla Firefox 115.0 (x64 ja)", "Mozilla", "115.0", "mozilla", "firefox"),
            ("Google Chrome", "Google LLC", "124.0.6367.91", "Google", "Chrome"),
            ("VLC media player", "VideoLAN", "3.0.18", "videolan", "vlc_media_player"),
            ("WinRAR 6.02 (64 ビット)", "win.rar GmbH", "6.02.0", "rarlab", "winrar"),
            ("Python 3.11.4 (64-bit)", "Python Software Foundation", "3.11.4", "python", "python"),
            ("7-Zip 19.00 (x64)", "Igor Pavlov", "19.00", "7-zip", "7-zip"),
            ("Notepad++ (64-bit x64)", "Notepad++ Team", "8.4.1", "notepad++", "notepad\\+\\+"),
        ] {
            assert!(fit(shown, publisher, version, vendor, product).is_some(), "`{shown}` by `{publisher}`");
        }
    }

    #[test]
    fn the_same_word_of_another_maker_is_another_product() {
        assert_eq!(fit("Reader 5.1", "Example K.K.", "5.1", "adobe", "reader"), None);
        assert_eq!(fit("Firefox Helper", "Mozilla", "1.0", "mozilla", "firefox"), None);
    }
}
