//! Incidents worked in a real browser against the built demo: with the mouse from the queue to the customer's mailbox, with
//! the keyboard alone, and on a telephone. Any error in the browser's log fails the test.

#[path = "support/chromium.rs"]
mod chromium;
mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chromium::Chromium;
use serde_json::{Value, json};
use support::{for_a_while, program};

/// The ransomware that the demo begins with.
const RANSOMWARE: &str = "//tr[.//td[contains(@class,'c-p')]//span[text()='P0']][.//div[@class='rule'][starts-with(.,'R01')]]\
                          [.//td[contains(@class,'c-tenant')][contains(.,'星見精工')]]//td[contains(@class,'c-id')]/a";

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_works_ransomware_from_the_queue_to_the_customers_mailbox() {
    let demo = Demo::start();
    let browser = Chromium::start().await;
    demo.sign_in(&browser).await;

    browser.click_xpath(RANSOMWARE).await;
    browser.see_text("#head .line b", "P0").await;
    browser.click("form[data-tool='acknowledge'] button").await;
    browser.see_nothing_of("form[data-tool='acknowledge']").await;
    browser.see_text("#head .phase", "受領済み").await;
    // Three actions, each read back from the console.
    browser.see("#actions li.good:nth-child(3)").await;
    browser.see_nothing_of("#actions li:not(.good)").await;
    browser.see_text("#head .answers", "確認済み").await;

    note(&browser, "internal", "利用者に電話で状況を確認した。").await;
    browser.see_text("#notes li", "内部").await;
    note(&browser, "customer", "端末の電源は切らずにお待ちください。").await;
    browser.see_text("#notes li.customer", "端末の電源は切らずにお待ちください。").await;

    browser.click("#tool-verdict summary").await;
    browser.click("#tool-verdict input[value='true_positive']").await;
    browser.write("#tool-verdict textarea", "複数のファイルの暗号化を確認した。").await;
    browser.click("#tool-verdict button.primary").await;
    // Thinking better of it does nothing; meaning it does.
    browser.click("dialog[open] button[value='no']").await;
    browser.see_nothing_of("dialog[open]").await;
    browser.see_text("#head .phase", "分析中").await;
    browser.click("#tool-verdict button.primary").await;
    browser.see_text("dialog[open] p", "正検知").await;
    browser.click("dialog[open] button[value='yes']").await;
    browser.see_text("#head .phase", "判定済み").await;

    let incident = browser.address().await.rsplit('/').next().expect("a number").to_owned();
    for language in ["ja", "en"] {
        is_a_report(&browser.fetch(&format!("/incidents/{incident}/report/{language}.pdf")).await);
    }

    browser.click("form[data-tool='close'] button").await;
    browser.click("dialog[open] button[value='yes']").await;
    browser.see("#tool-reopen").await;
    browser.click(".places a[href='/']").await;
    browser.click("a[href='/?view=closed']").await;
    browser.see_text(&format!("tr#{incident}"), "正検知").await;

    browser.click("button[name='language'][value='en']").await;
    browser.see_text(&format!("html[lang='en'] tr#{incident}"), "True positive").await;
    browser.click("button[name='theme'][value='paper']").await;
    browser.see("html[data-theme='paper']").await;
    let ground = browser.ask("return getComputedStyle(document.documentElement).backgroundColor", vec![]).await;
    assert_eq!(ground, "rgb(247, 245, 240)");
    browser.has_no_complaints().await;

    the_customer_was_told(&browser, &demo, &incident).await;
    browser.has_no_complaints().await;
}

/// Adds a note by the form, which brings the page back.
async fn note(browser: &Chromium, visibility: &str, text: &str) {
    browser.click("#tool-note summary").await;
    browser.write("#tool-note textarea", text).await;
    browser.click(&format!("#tool-note input[value='{visibility}']")).await;
    browser.click("#tool-note button.primary").await;
    browser.see_text("#notes", text).await;
}

/// First notice, update and verdict are in the mailbox, the last one with the report.
async fn the_customer_was_told(browser: &Chromium, demo: &Demo, incident: &str) {
    let mailbox = format!("{}/?to=it-security@hoshimi.example", demo.mailbox());
    for what in ["第一報", "続報", "分析結果のご報告：正検知"] {
        browser.open(&mailbox).await;
        let mail = format!("//li/a[.//span[@class='subject'][contains(.,'{incident}')][contains(.,'{what}')]]");
        browser.click_xpath(&mail).await;
        browser.see_text("pre.letter", incident).await;
    }
    let attached = browser.see("a[href*='/attachment/']").await;
    let name = attached.text().await.expect("a name");
    assert!(name.contains(incident) && name.ends_with(".pdf"), "{name}");
    let path = attached.attr("href").await.expect("a link").expect("an address");
    is_a_report(&browser.fetch(&path).await);
}

fn is_a_report(file: &[u8]) {
    assert!(file.starts_with(b"%PDF-") && file.len() > 20_000, "{} bytes", file.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_is_enough_and_the_demo_ends_with_a_page_open() {
    const ENTER: &str = "\u{e007}";
    const ESCAPE: &str = "\u{e00c}";
    const CONTROL_ENTER: &str = "\u{e009}\u{e007}\u{e000}";
    const ALT_X: &str = "\u{e00a}x\u{e000}";
    let mut demo = Demo::start();
    let browser = Chromium::start().await;
    demo.sign_in(&browser).await;
    browser.see("#rows tr").await;
    no_number_is_cut(&browser).await;

    browser.press("j").await;
    let chosen = browser.see("#rows tr.cursor").await.attr("id").await.expect("a row").expect("its number");
    browser.press("a").await;
    browser.see(&format!("tr#{chosen} .who.me")).await;
    browser.press(ENTER).await;
    browser.see_text("#preview:not([hidden])", &chosen).await;
    no_number_is_cut(&browser).await;
    browser.press(ESCAPE).await;
    browser.see("#preview[hidden]").await;
    browser.press("?").await;
    browser.see("#help[open]").await;
    browser.press(ESCAPE).await;
    browser.see_nothing_of("#help[open]").await;

    browser.press("o").await;
    browser.see_text("#head .phase", "受領済み").await;
    browser.press("n").await;
    browser.see("#tool-note[open] textarea:focus").await;
    browser.press("キーボードだけで書いた記録").await;
    browser.press(CONTROL_ENTER).await;
    browser.see_text("#notes", "キーボードだけで書いた記録").await;
    browser.press("s").await;
    browser.see("#tool-verdict[open] input[value='suspicious']:checked").await;
    browser.press("まだ断定できない点が残るため").await;
    browser.press(CONTROL_ENTER).await;
    browser.see("dialog[open] button[value='yes']:focus").await;
    browser.press(ENTER).await;
    browser.see_text("#head .phase", "判定済み").await;
    browser.press(ALT_X).await;
    browser.see("dialog[open] button[value='yes']:focus").await;
    browser.press(ENTER).await;
    browser.see_text("#head .phase", "終了").await;
    browser.press("gq").await;
    browser.see("#rows tr").await;
    browser.see_nothing_of(&format!("tr#{chosen}")).await;
    browser.click("button[name='language'][value='en']").await;
    browser.see("html[lang='en'] #rows tr").await;
    no_number_is_cut(&browser).await;
    browser.has_no_complaints().await;

    // The queue is open and listens for changes.
    demo.end_within(Duration::from_millis(1500)).await;
}

/// What a manager asks for: what is due next, what stands still, and whether the targets were met, down to the proof.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_count_down_and_pause_and_a_figure_leads_to_its_proof() {
    let demo = Demo::start();
    let browser = Chromium::start().await;
    demo.sign_in(&browser).await;
    browser.click_xpath(RANSOMWARE).await;
    let incident = browser.address().await;
    browser.click("form[data-tool='acknowledge'] button").await;
    browser.click("#tool-ask summary").await;
    browser.write("#tool-ask textarea", "同じファイルを受け取った方はほかにいますか。").await;
    browser.click("#tool-ask button.primary").await;
    browser.see_text("#head .phase", "お客様回答待ち").await;
    // A channel has the question: the analysis stands still, and the customer's 72 hours run.
    browser.see_text("#head .answers", "お客様のご回答待ち").await;

    for page in ["/", "/hand-over", "/figures", "/trouble", "/about"].map(|path| demo.page(path)) {
        browser.open(&page).await;
        browser.see("#watch svg.line").await;
    }
    browser.open(&demo.page("/")).await;
    browser.see("#rows time.due.paused").await;
    // The demo's attacks come one after the other.
    browser.see("#rows tr:nth-child(4) time.due").await;
    let order = "const due = [...document.querySelectorAll('#rows time.due')].map(t => t.dateTime);
                 return [due.length > 3, JSON.stringify(due) === JSON.stringify([...due].sort())]";
    assert_eq!(browser.ask(order, vec![]).await, json!([true, true]), "what is due next comes first");

    browser.open(&demo.page("/figures")).await;
    browser.click("table.numbers a").await;
    browser.click("table.cycles a[href*='/clocks']").await;
    browser.see_text("main", "再計算：一致").await;
    browser.open(&format!("{incident}/clocks")).await;
    browser.see_text("main", "再計算：一致").await;
    browser.see_text("main", "お客様のご回答待ち").await;
    browser.has_no_complaints().await;
}

/// In a window of 1440 pixels the numbers of all incidents are there to the last digit.
async fn no_number_is_cut(browser: &Chromium) {
    let script = "return [...document.querySelectorAll('td.c-id')]
        .map(cell => [cell.textContent, cell.scrollWidth - cell.clientWidth]).filter(([, over]) => over > 0)";
    let cut = browser.ask(script, vec![]).await;
    assert_eq!(cut, json!([]), "numbers that are cut, with the missing pixels");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_telephone_nothing_is_wider_than_the_screen() {
    const WIDTH: u32 = 390;
    let demo = Demo::start();
    let browser = Chromium::start().await;
    browser.be_a_phone(WIDTH, 844).await;
    browser.open(demo.link()).await;
    fits(&browser, WIDTH).await;
    demo.sign_in(&browser).await;
    browser.see("#rows tr").await;
    fits(&browser, WIDTH).await;
    browser.click_xpath(RANSOMWARE).await;
    browser.see("#actions li.good:nth-child(3)").await;
    fits(&browser, WIDTH).await;
    browser.click("#tool-verdict summary").await;
    browser.see("#tool-verdict[open] textarea").await;
    fits(&browser, WIDTH).await;
    let incident = browser.address().await;
    for page in [format!("{incident}?tab=evidence"), demo.page("/trouble"), demo.page("/about")] {
        browser.open(&page).await;
        browser.see("main h1, #incident h1").await;
        fits(&browser, WIDTH).await;
    }
    browser.has_no_complaints().await;
}

async fn fits(browser: &Chromium, width: u32) {
    // A page that is too wide makes a telephone zoom out, and the window with it: the screen's width is what counts.
    let wide = browser.ask("return document.scrollingElement.scrollWidth", vec![]).await;
    assert!(wide.as_u64() <= Some(width.into()), "{wide} pixels wide: {}", browser.address().await);
}

/// Not a test: takes the README's pictures anew, with `cargo test -p yagura --test browser -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "changes files of the repository"]
async fn pictures_for_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures");
    let demo = Demo::start();
    let browser = Chromium::start().await;
    demo.sign_in(&browser).await;
    // The demo plays for half a minute; that is longer than anybody waits for one thing.
    for rows in [6, 9, 11] {
        browser.see(&format!("#rows tr:nth-child({rows})")).await;
    }
    browser.open(&demo.page("/")).await;
    browser.see("#live").await;
    browser.take_picture(&folder.join("queue.png")).await;

    browser.click_xpath(RANSOMWARE).await;
    browser.see("#actions li.good:nth-child(3)").await;
    browser.click("button[name='language'][value='en']").await;
    browser.see("html[lang='en'] #actions").await;
    browser.take_picture(&folder.join("incident.png")).await;

    let incident = browser.address().await.rsplit('/').next().expect("a number").to_owned();
    let papers = tempfile::tempdir().expect("a folder");
    let paper = papers.path().join("report.pdf");
    fs::write(&paper, browser.fetch(&format!("/incidents/{incident}/report/ja.pdf")).await).expect("a file");
    let mut print = Command::new("pdftoppm");
    print.args(["-png", "-singlefile", "-scale-to-x", "1000", "-scale-to-y", "-1"]);
    assert!(print.arg(&paper).arg(folder.join("report")).status().expect("pdftoppm is there").success());

    browser.open(&format!("{}/?to=it-security@hoshimi.example", demo.mailbox())).await;
    browser.click_xpath(&format!("//li/a[contains(.,'{incident}')][contains(.,'第一報')]")).await;
    browser.see_text("pre.letter", &incident).await;
    browser.take_picture(&folder.join("mail.png")).await;
}

// ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `yagura demo` as somebody starts it. Ends with the test, however that ends.
struct Demo {
    process: Child,
    /// As it printed them.
    addresses: Value,
}

impl Demo {
    fn start() -> Self {
        let started = program().args(["demo", "--json", "--port", "0"]).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("the demo starts");
        let output = process.stdout.take().expect("its output is ours");
        let line = BufReader::new(output).lines().map_while(Result::ok).find(|line| line.starts_with('{'));
        let addresses = serde_json::from_str(&line.expect("it prints its addresses")).expect("one JSON object");
        Self { process, addresses }
    }

    /// The link that signs in once.
    fn link(&self) -> &str {
        self.addresses["console"].as_str().expect("an address")
    }

    fn mailbox(&self) -> &str {
        self.addresses["mailbox"].as_str().expect("an address")
    }

    fn page(&self, path: &str) -> String {
        let (origin, _) = self.link().split_once("/sign-in/").expect("a link to sign in");
        format!("{origin}{path}")
    }

    async fn sign_in(&self, browser: &Chromium) {
        browser.open(self.link()).await;
        browser.click("main form button.primary").await;
        browser.see("#queue").await;
    }

    /// Asks it to end, as Ctrl-C or a service manager does, and fails when that takes longer.
    async fn end_within(&mut self, time: Duration) {
        let kill = format!("kill -TERM {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        let step = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(status) = self.process.try_wait().expect("a child of ours") {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(waited < time, "it still runs after {waited:?}");
            for_a_while(step).await;
            waited += step;
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
