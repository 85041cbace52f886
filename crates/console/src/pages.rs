//! One file per page: its address, its form, its handler and its markup.

pub(crate) mod about;
pub(crate) mod answers;
pub(crate) mod clocks;
pub(crate) mod evidence;
pub(crate) mod figures;
pub(crate) mod hand_over;
pub(crate) mod health;
pub(crate) mod incident;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod trouble;

/// An address of ours that a form asked to go back to, or the start. Never another site.
pub(crate) fn safe_address(wanted: Option<&str>) -> &str {
    let plain = |p: &&str| {
        p.starts_with('/')
            && !p[1..].starts_with(['/', '\\'])
            && p.len() <= 1000
            && p.chars().all(|c| c.is_ascii_graphic() && c != '\\')
    };
    wanted.filter(plain).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::safe_address;

    #[test]
    fn nobody_is_led_to_another_site() {
        for there in ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb", "evil", "", "/\u{202e}"] {
            assert_eq!(safe_address(Some(there)), "/", "{there:?}");
        }
        assert_eq!(safe_address(Some("/incidents/INC-2026-000001?all=1")), "/incidents/INC-2026-000001?all=1");
        assert_eq!(safe_address(None), "/");
    }
}
