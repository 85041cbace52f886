//! S1QL, the first query language: `EventType = "Process Creation" AND SrcProcCmdLine ContainsCIS "enc"`. Fields are
//! the console's camel-case names in any case; each stands for a dotted field.

use super::QueryError;
use super::expr::{Expr, Reader, tokens, unexpected};

pub(crate) fn parse(text: &str) -> Result<Expr, QueryError> {
    let mut reader = Reader::new(tokens(text, false)?, false, dotted);
    let condition = reader.condition(0)?;
    if !reader.done() {
        return Err(unexpected(reader.peek(), "`AND`, `OR` or the end"));
    }
    Ok(condition)
}

fn dotted(field: &str) -> Result<String, QueryError> {
    let low = field.to_lowercase();
    if low.contains('.') {
        return Ok(low);
    }
    for (family, prefix) in
        [("srcprocparent", "src.process.parent."), ("srcproc", "src.process."), ("tgtproc", "tgt.process.")]
    {
        if let Some(rest) = low.strip_prefix(family) {
            let member = match rest {
                "name" | "displayname" | "cmdline" | "user" | "pid" | "uid" | "integritylevel" | "signedstatus"
                | "publisher" | "starttime" => rest,
                "imagepath" => "image.path",
                "imagesha1" => "image.sha1",
                "imagesha256" => "image.sha256",
                "imagemd5" => "image.md5",
                "storylineid" => "storyline.id",
                _ => return Err(QueryError(format!("`{field}` is no field"))),
            };
            return Ok(format!("{prefix}{member}"));
        }
    }
    let name = match low.as_str() {
        "eventtype" => "event.type",
        "objecttype" => "event.category",
        "eventtime" | "createdat" => "created.at",
        "eventid" => "event.id",
        "endpointname" | "agentname" => "endpoint.name",
        "endpointos" | "agentos" => "endpoint.os",
        "agentuuid" => "agent.uuid",
        "agentid" => "agent.id",
        "sitename" => "site.name",
        "siteid" => "site.id",
        "accountid" => "account.id",
        "accountname" => "account.name",
        "storylineid" | "storyline" | "truecontext" => "src.process.storyline.id",
        "processname" => "src.process.name",
        "processcmd" | "cmdline" => "src.process.cmdline",
        "user" | "username" => "src.process.user",
        "tgtfilepath" | "filepath" | "filefullname" => "tgt.file.path",
        "tgtfileoldpath" => "tgt.file.oldpath",
        "tgtfilesha1" | "filesha1" => "tgt.file.sha1",
        "tgtfilesha256" | "filesha256" => "tgt.file.sha256",
        "tgtfilemd5" | "filemd5" => "tgt.file.md5",
        "tgtfileextension" => "tgt.file.extension",
        "registrykeypath" | "registrypath" => "registry.keypath",
        "registryvalue" => "registry.value",
        "dnsrequest" | "dns" => "event.dns.request",
        "dnsresponse" => "event.dns.response",
        "url" | "networkurl" => "url.address",
        "urlaction" | "networkmethod" => "event.url.action",
        "srcip" => "src.ip.address",
        "srcport" => "src.port.number",
        "dstip" | "ip" => "dst.ip.address",
        "dstport" => "dst.port.number",
        "netconnstatus" => "event.network.connectionstatus",
        "neteventdirection" => "event.network.direction",
        "netprotocolname" => "event.network.protocolname",
        "modulepath" => "module.path",
        "modulesha1" => "module.sha1",
        "taskname" => "task.name",
        "taskpath" => "task.path",
        "indicatorname" => "indicator.name",
        "indicatorcategory" => "indicator.category",
        "indicatordescription" => "indicator.description",
        "loginsusername" => "event.login.username",
        "cmdscript" => "cmdscript.content",
        _ => return Err(QueryError(format!("`{field}` is no field"))),
    };
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Cell;

    fn holds(text: &str) -> bool {
        let row = |field: &str| match field {
            "event.type" => Cell::Text("Process Creation".to_owned()),
            "src.process.cmdline" => Cell::Text(r"C:\Windows\cmd.exe /c WHOAMI".to_owned()),
            "dst.port.number" => Cell::Number(445),
            _ => Cell::Null,
        };
        parse(text).expect("a good query").holds(&row)
    }

    #[test]
    fn every_operator_says_yes_and_no() {
        for yes in [
            r#"EventType = "Process Creation""#,
            r#"eventtype In ("process creation","Login") AND dstPort > "99""#,
            r#"SrcProcCmdLine ContainsCIS "whoami""#,
            r#"SrcProcCmdLine startswithCIS "c:\windows\""#,
            r#"SrcProcCmdLine RegExp "cmd\.exe.*whoami""#,
            r#"NOT DnsRequest EXISTS AND DstPort EXISTS"#,
            r#"DnsRequest IS EMPTY"#,
            r#"SrcProcCmdLine In Contains Anycase ("zzz","WhoAmI")"#,
            r#"(DstPort = "1" OR DstPort = "445") AND NOT (EventType = "Login")"#,
            r#"DstPort <> "80""#,
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in
            [r#"SrcProcCmdLine Contains "whoami""#, r#"DstPort < "100""#, r#"DnsRequest = """#, r#"NOT DstPort EXISTS"#]
        {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        for bad in [
            "",
            "EventType",
            r#"EventType = "a"#,
            "Colour = \"red\"",
            "(DstPort = 1",
            "DstPort = 1 2",
            "DstPort ~ 1",
            r#"SrcIp RegExp "(""#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"(".repeat(4_000)).is_err(), "bounded in depth");
    }
}
