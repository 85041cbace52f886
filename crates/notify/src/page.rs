//! A call for a person of the SOC, as a short mail: what waits, since when, and where to take it. It goes to a member of
//! the staff, so it names the customer; it holds nothing of the evidence beyond the endpoint and the detection's name.

use domain::incident::Incident;
use domain::oncall::{OnCall, Page, Why};
use domain::tenant::Tenant;
use domain::{Language, Timestamp};

use crate::mail::Mail;
use crate::{Sender, shown};

/// Writes a call. `None` when the page names nobody.
pub fn compose(page: &Page, incident: &Incident, tenant: &Tenant, sender: &Sender) -> Option<Mail> {
    let OnCall { language, .. } = page.to.as_ref()?;
    let words = Words { page, incident, tenant, language: *language };
    let lines = words.lines(sender);
    let id = format!("{}.{}.{}@{}", incident.id, page.id, tenant.id, sender.domain()).to_lowercase();
    Some(Mail {
        message_id: id,
        in_reply_to: None,
        incident: incident.id,
        priority: incident.priority(),
        language: *language,
        from_name: sender.name(*language).to_owned(),
        from: sender.address.clone(),
        subject: shown::header(&words.subject()),
        text: lines.iter().map(|line| format!("{line}\n")).collect(),
        html: maud::html! { @for line in &lines { p { (line) } } }.into_string(),
        attachments: Vec::new(),
    })
}

struct Words<'a> {
    page: &'a Page,
    incident: &'a Incident,
    tenant: &'a Tenant,
    language: Language,
}

impl Words<'_> {
    fn subject(&self) -> String {
        let (priority, id) = (self.incident.priority().name(), self.incident.id);
        match (self.page.why, self.language) {
            (Why::NotAcknowledged, Language::Ja) => {
                format!("【呼び出し・{priority}】{id} 未受領です。受領してください")
            }
            (Why::NotAcknowledged, Language::En) => format!("[CALL - {priority}] {id} is not acknowledged: take it"),
            (Why::CustomerNotReached(_), Language::Ja) => {
                format!("【呼び出し・{priority}】{id} お客様に届いていません。電話してください")
            }
            (Why::CustomerNotReached(_), Language::En) => {
                format!("[CALL - {priority}] {id}: the customer was not reached, telephone them")
            }
        }
    }

    fn lines(&self, sender: &Sender) -> Vec<String> {
        let ja = self.language == Language::Ja;
        let pair = |label_ja: &str, label_en: &str, value: String| {
            if ja { format!("{label_ja}：{value}") } else { format!("{label_en}: {value}") }
        };
        let host = self.incident.alerts.first().map(|a| shown::one_line(&a.endpoint.name, 60)).unwrap_or_default();
        let mut lines = vec![
            self.subject(),
            pair("お客様", "Customer", self.tenant.name.in_language(self.language).to_owned()),
            pair("端末", "Endpoint", host),
            pair("検知名", "Detection", shown::one_line(&self.incident.title, 80)),
            pair("受信", "Received", self.time(self.incident.received_at)),
        ];
        if let Some(due) = self.incident.next_due() {
            lines.push(pair("次の期限", "Next due", self.time(due)));
        }
        if let Some(pages) = &sender.pages {
            lines.push(pair("画面", "Page", format!("{pages}/incidents/{}", self.incident.id)));
        }
        let step = self.page.step.text().in_language(self.language).to_owned();
        lines.push(pair("呼び出し先", "Called as", step));
        lines
    }

    fn time(&self, at: Timestamp) -> String {
        shown::time(at, self.language)
    }
}
