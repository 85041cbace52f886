//! The conversation of one SMTP session, apart from sockets and message text: what a command leads to.
//! RFC 5321 with SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531) and enhanced codes (2034).

use std::borrow::Cow;

/// The largest message, as announced.
pub(super) const MAX_MESSAGE: usize = 25 * 1024 * 1024;
const MAX_RECIPIENTS: usize = 100;
const NAME: &str = "mail-sink.localhost";

/// Who a message comes from and goes to, and which bytes its sender said it would use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) eight_bit: bool,
    pub(super) utf8: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Say(Cow<'static, str>),
    /// Ask for the message that goes with this envelope.
    Take(Envelope),
    /// Say goodbye and hang up.
    Close(&'static str),
}

/// Where the session is.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    greeting: Option<Greeting>,
    envelope: Option<Envelope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greeting {
    Plain,
    Extended,
}

impl Dialogue {
    pub(super) fn greeting() -> String {
        format!("220 {NAME} ESMTP, keeps everything and delivers nothing")
    }

    /// What one command line, without its line end, leads to.
    pub(super) fn hear(&mut self, line: &[u8]) -> Next {
        let Ok(line) = std::str::from_utf8(line) else { return say("500 5.5.2 that is not UTF-8") };
        if line.contains(|c: char| c.is_control() && c != '\t') {
            return say("500 5.5.2 control characters are no part of a command");
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let result = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello(rest, Greeting::Extended),
            "HELO" => self.hello(rest, Greeting::Plain),
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" => match self.data(rest) {
                Ok(envelope) => return Next::Take(envelope),
                Err(refusal) => Err(refusal),
            },
            "RSET" => {
                self.envelope = None;
                Ok("250 2.0.0 forgotten".into())
            }
            "NOOP" => Ok("250 2.0.0 nothing done".into()),
            "VRFY" => Ok("252 2.5.2 every recipient is taken, nobody is delivered to".into()),
            "HELP" => Ok("214 2.0.0 RFC 5321".into()),
            "QUIT" => return Next::Close("221 2.0.0 goodbye"),
            "STARTTLS" | "AUTH" | "EXPN" | "BDAT" | "TURN" => Err("502 5.5.1 not offered"),
            _ => Err("500 5.5.1 no such command"),
        };
        Next::Say(result.unwrap_or_else(Cow::Borrowed))
    }

    fn hello(&mut self, client: &str, greeting: Greeting) -> Answer {
        if client.trim().is_empty() {
            return Err("501 5.5.4 say who you are");
        }
        self.greeting = Some(greeting);
        self.envelope = None;
        Ok(match greeting {
            Greeting::Plain => format!("250 {NAME}").into(),
            Greeting::Extended => format!(
                "250-{NAME}\r\n250-SIZE {MAX_MESSAGE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES"
            )
            .into(),
        })
    }

    fn mail(&mut self, rest: &str) -> Answer {
        let greeting = self.greeting.ok_or("503 5.5.1 EHLO comes first")?;
        if self.envelope.is_some() {
            return Err("503 5.5.1 one mail at a time, RSET ends the other");
        }
        let (sender, parameters) = path(rest, "FROM:").ok_or("501 5.5.4 MAIL FROM:<address> is expected")?;
        let mut envelope = Envelope { sender: sender.to_owned(), ..Envelope::default() };
        for parameter in parameters.split_whitespace() {
            if greeting == Greeting::Plain {
                return Err("555 5.5.4 extensions need EHLO");
            }
            match parameter.to_ascii_uppercase().split_once('=') {
                Some(("SIZE", size)) => match size.parse::<usize>() {
                    Ok(size) if size <= MAX_MESSAGE => {}
                    Ok(_) => return Err("552 5.3.4 too large"),
                    Err(_) => return Err("501 5.5.4 SIZE is a number"),
                },
                Some(("BODY", "8BITMIME")) => envelope.eight_bit = true,
                Some(("BODY", "7BIT")) => {}
                None if parameter.eq_ignore_ascii_case("SMTPUTF8") => envelope.utf8 = true,
                _ => return Err("555 5.5.4 unknown parameter"),
            }
        }
        if !sender.is_empty() {
            mailbox(sender, envelope.utf8)?;
        }
        self.envelope = Some(envelope);
        Ok("250 2.1.0 sender noted".into())
    }

    fn recipient(&mut self, rest: &str) -> Answer {
        let envelope = self.envelope.as_mut().ok_or("503 5.5.1 MAIL comes first")?;
        let (recipient, parameters) = path(rest, "TO:").ok_or("501 5.5.4 RCPT TO:<address> is expected")?;
        if !parameters.trim().is_empty() {
            return Err("555 5.5.4 unknown parameter");
        }
        if !recipient.eq_ignore_ascii_case("postmaster") {
            mailbox(recipient, envelope.utf8)?;
        }
        if envelope.recipients.len() >= MAX_RECIPIENTS {
            return Err("452 4.5.3 too many recipients, send the rest in another mail");
        }
        envelope.recipients.push(recipient.to_owned());
        Ok("250 2.1.5 recipient noted".into())
    }

    fn data(&mut self, rest: &str) -> Result<Envelope, &'static str> {
        if !rest.trim().is_empty() {
            return Err("501 5.5.4 DATA stands alone");
        }
        if self.envelope.as_ref().is_none_or(|envelope| envelope.recipients.is_empty()) {
            return Err("503 5.5.1 RCPT comes first");
        }
        self.envelope.take().ok_or("503 5.5.1 MAIL comes first")
    }
}

type Answer = Result<Cow<'static, str>, &'static str>;

fn say(answer: &'static str) -> Next {
    Next::Say(answer.into())
}

/// Splits `FROM:<a@b> SIZE=1` into the address and the parameters. A `>` in a quoted local part does not end it.
fn path<'a>(text: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let start = text.get(..keyword.len()).filter(|start| start.eq_ignore_ascii_case(keyword))?.len();
    let inner = text[start..].strip_prefix('<')?;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let rest = &inner[at + 1..];
                return (rest.is_empty() || rest.starts_with(' ')).then_some((&inner[..at], rest));
            }
            _ => {}
        }
    }
    None
}

/// Whether this is an address within the lengths of RFC 5321, section 4.5.3.1.
fn mailbox(address: &str, utf8: bool) -> Result<(), &'static str> {
    if !address.is_ascii() && !utf8 {
        return Err("553 5.6.7 an address beyond ASCII needs SMTPUTF8");
    }
    let (local, domain) = address.rsplit_once('@').ok_or("553 5.1.3 an address has a local part and a domain")?;
    let in_quotes = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let loose = |c: char| c.is_whitespace() || "<>()[],;:\\\"@".contains(c);
    let bad_local = local.is_empty() || local.len() > 64 || (!in_quotes && local.contains(loose));
    let bad_domain =
        domain.is_empty() || domain.len() > 255 || domain.contains(|c: char| loose(c) && !"[]:".contains(c));
    if bad_local || bad_domain || address.len() > 254 {
        return Err("553 5.1.3 this is no address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Next {
        let mut dialogue = Dialogue::default();
        let mut last = say("");
        for line in lines {
            last = dialogue.hear(line.as_bytes());
        }
        last
    }

    fn said(lines: &[&str]) -> String {
        match after(lines) {
            Next::Say(answer) => answer.into_owned(),
            other => panic!("expected an answer, got {other:?}"),
        }
    }

    #[test]
    fn a_mail_is_taken_after_sender_and_recipient() {
        let taken = after(&[
            "EHLO client.example",
            "MAIL FROM:<soc@yagura.example> BODY=8BITMIME SIZE=1000 SMTPUTF8",
            "RCPT TO:<a@acme.example>",
            "rcpt to:<\"odd>one\"@acme.example>",
            "DATA",
        ]);
        let envelope = Envelope {
            sender: "soc@yagura.example".into(),
            recipients: vec!["a@acme.example".into(), "\"odd>one\"@acme.example".into()],
            eight_bit: true,
            utf8: true,
        };
        assert_eq!(taken, Next::Take(envelope));
    }

    #[test]
    fn commands_out_of_order_are_refused() {
        for lines in [
            &["MAIL FROM:<a@b.example>"][..],
            &["EHLO x", "RCPT TO:<a@b.example>"],
            &["EHLO x", "MAIL FROM:<a@b.example>", "DATA"],
            &["EHLO x", "MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"],
            &["EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<a@b.example>", "RSET", "DATA"],
            &["EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<a@b.example>", "EHLO x", "DATA"],
        ] {
            assert!(said(lines).starts_with("503 "), "{lines:?}");
        }
    }

    #[test]
    fn a_bad_address_or_parameter_is_refused_with_its_own_code() {
        for (line, code) in [
            ("MAIL FROM:<a@b.example> SIZE=99999999999", "552"),
            ("MAIL FROM:<a@b.example> SIZE=many", "501"),
            ("MAIL FROM:<a@b.example> RET=FULL", "555"),
            ("MAIL FROM: <a@b.example>", "501"),
            ("MAIL FROM:a@b.example", "501"),
            ("MAIL FROM:<a@b.example>x", "501"),
            ("MAIL FROM:<a b@c.example>", "553"),
            ("MAIL FROM:<nobody>", "553"),
            ("MAIL FROM:<担当@例え.jp>", "553"),
            ("MAIL FROM:<>", "250"),
            ("MAIL FROM:<担当@例え.jp> SMTPUTF8", "250"),
        ] {
            assert!(said(&["EHLO x", line]).starts_with(code), "{line}");
        }
        assert!(said(&["HELO x", "MAIL FROM:<a@b.example> SIZE=1"]).starts_with("555"));
    }

    #[test]
    fn recipients_are_bounded() {
        let mut lines = vec!["EHLO x", "MAIL FROM:<a@b.example>"];
        lines.extend(std::iter::repeat_n("RCPT TO:<c@d.example>", MAX_RECIPIENTS));
        assert!(said(&lines).starts_with("250"));
        lines.push("RCPT TO:<one-more@d.example>");
        assert!(said(&lines).starts_with("452"));
    }

    #[test]
    fn nothing_a_client_says_can_panic() {
        for line in
            ["", " ", "MAIL", "MAIL FRO", "MAIL 差出人", "RCPT TO:<", "RCPT TO:<\"\\", "EHLO", "DATA x", "\u{1}"]
        {
            let _any_answer = after(&["EHLO x", "MAIL FROM:<a@b.example>", line]);
            let _any_answer = after(&[line]);
        }
        assert!(matches!(Dialogue::default().hear(&[0xff, 0xfe]), Next::Say(a) if a.starts_with("500")));
    }
}
