//! Programs that stories and ordinary days use. The files are named as on real machines; the hashes are made up, and
//! the same for the same version everywhere.

use std::borrow::Cow;

use super::Hashes;

/// A program file.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: Cow<'static, str>,
    pub(crate) image: Cow<'static, str>,
    /// Empty when it is not signed.
    pub(crate) publisher: Cow<'static, str>,
    /// What the hashes are derived from, unless they are known.
    label: Cow<'static, str>,
    known: Option<Hashes>,
    /// Runs as the machine rather than as its user.
    pub(crate) system: bool,
}

impl Program {
    /// An unsigned file that somebody brought: its hashes come from the same label as its threat's.
    pub(crate) fn brought(name: &str, image: &str, label: &str) -> Self {
        Self {
            name: Cow::Owned(name.to_owned()),
            image: Cow::Owned(image.to_owned()),
            publisher: Cow::Borrowed(""),
            label: Cow::Owned(label.to_owned()),
            known: None,
            system: false,
        }
    }

    /// The file with these hashes.
    pub(crate) fn with(mut self, hashes: Hashes) -> Self {
        self.known = Some(hashes);
        self
    }

    pub(crate) fn signed_by(mut self, publisher: &str) -> Self {
        self.publisher = Cow::Owned(publisher.to_owned());
        self
    }

    pub(crate) fn of_the_machine(mut self) -> Self {
        self.system = true;
        self
    }

    /// The same program with another file's hashes.
    pub(crate) fn hashed_from(mut self, label: &str) -> Self {
        self.label = Cow::Owned(label.to_owned());
        self
    }

    pub(crate) fn hashes(&self) -> Hashes {
        self.known.clone().unwrap_or_else(|| Hashes::of(&self.label))
    }
}

const fn program(name: &'static str, image: &'static str, publisher: &'static str, system: bool) -> Program {
    Program {
        name: Cow::Borrowed(name),
        image: Cow::Borrowed(image),
        publisher: Cow::Borrowed(publisher),
        label: Cow::Borrowed(image),
        known: None,
        system,
    }
}

const MS: &str = "MICROSOFT WINDOWS";
const MS_CORP: &str = "MICROSOFT CORPORATION";

/// Declares programs of one maker as constants.
macro_rules! programs {
    ($($ident:ident = $name:literal, $image:literal, $publisher:expr, $system:literal;)*) => {
        $(pub(crate) const $ident: Program = program($name, $image, $publisher, $system);)*

        /// The known program with this file name.
        pub(crate) fn named(name: &str) -> Option<Program> {
            [$($ident),*].into_iter().find(|program| program.name.eq_ignore_ascii_case(name))
        }
    };
}

programs! {
    SYSTEM = "System", "System", MS, true;
    SERVICES = "services.exe", r"C:\Windows\System32\services.exe", MS, true;
    SVCHOST = "svchost.exe", r"C:\Windows\System32\svchost.exe", MS, true;
    LSASS = "lsass.exe", r"C:\Windows\System32\lsass.exe", MS, true;
    WINLOGON = "winlogon.exe", r"C:\Windows\System32\winlogon.exe", MS, true;
    WSMPROVHOST = "wsmprovhost.exe", r"C:\Windows\System32\wsmprovhost.exe", MS, false;
    EXPLORER = "explorer.exe", r"C:\Windows\explorer.exe", MS, false;
    CMD = "cmd.exe", r"C:\Windows\System32\cmd.exe", MS, false;
    CONHOST = "conhost.exe", r"C:\Windows\System32\conhost.exe", MS, false;
    POWERSHELL = "powershell.exe", r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", MS, false;
    VSSADMIN = "vssadmin.exe", r"C:\Windows\System32\vssadmin.exe", MS, false;
    WBADMIN = "wbadmin.exe", r"C:\Windows\System32\wbadmin.exe", MS, false;
    BCDEDIT = "bcdedit.exe", r"C:\Windows\System32\bcdedit.exe", MS, false;
    WEVTUTIL = "wevtutil.exe", r"C:\Windows\System32\wevtutil.exe", MS, false;
    NET = "net.exe", r"C:\Windows\System32\net.exe", MS, false;
    NET1 = "net1.exe", r"C:\Windows\System32\net1.exe", MS, false;
    SC = "sc.exe", r"C:\Windows\System32\sc.exe", MS, false;
    WHOAMI = "whoami.exe", r"C:\Windows\System32\whoami.exe", MS, false;
    NLTEST = "nltest.exe", r"C:\Windows\System32\nltest.exe", MS, false;
    IPCONFIG = "ipconfig.exe", r"C:\Windows\System32\ipconfig.exe", MS, false;
    SCHTASKS = "schtasks.exe", r"C:\Windows\System32\schtasks.exe", MS, false;
    TASKKILL = "taskkill.exe", r"C:\Windows\System32\taskkill.exe", MS, false;
    NTDSUTIL = "ntdsutil.exe", r"C:\Windows\System32\ntdsutil.exe", MS, false;
    RUNTIMEBROKER = "RuntimeBroker.exe", r"C:\Windows\System32\RuntimeBroker.exe", MS, false;
    SEARCHINDEXER = "SearchIndexer.exe", r"C:\Windows\System32\SearchIndexer.exe", MS, true;
    USOCLIENT = "UsoClient.exe", r"C:\Windows\System32\UsoClient.exe", MS, true;
    TASKHOSTW = "taskhostw.exe", r"C:\Windows\System32\taskhostw.exe", MS, false;
    OUTLOOK = "OUTLOOK.EXE", r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", MS_CORP, false;
    WINWORD = "WINWORD.EXE", r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", MS_CORP, false;
    EXCEL = "EXCEL.EXE", r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", MS_CORP, false;
    TEAMS = "ms-teams.exe", r"C:\Program Files\WindowsApps\MSTeams\ms-teams.exe", MS_CORP, false;
    ONEDRIVE = "OneDrive.exe", r"C:\Program Files\Microsoft OneDrive\OneDrive.exe", MS_CORP, false;
    EDGE = "msedge.exe", r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", MS_CORP, false;
    CHROME = "chrome.exe", r"C:\Program Files\Google\Chrome\Application\chrome.exe", "GOOGLE LLC", false;
    SEVENZIP = "7z.exe", r"C:\Program Files\7-Zip\7z.exe", "", false;
    SQLSERVR = "sqlservr.exe", r"C:\Program Files\Microsoft SQL Server\MSSQL16.ERP\MSSQL\Binn\sqlservr.exe", MS_CORP, true;
    BACKUPD = "BkAgent.exe", r"C:\Program Files\Hokuto Backup\BkAgent.exe", "HOKUTO BACKUP KK", true;
    ERPD = "ErpService.exe", r"C:\ERP\Server\ErpService.exe", "", true;
    DNSD = "dns.exe", r"C:\Windows\System32\dns.exe", MS, true;
    SYSTEMD = "systemd", "/usr/lib/systemd/systemd", "", true;
    CRON = "cron", "/usr/sbin/cron", "", true;
    SH = "dash", "/usr/bin/dash", "", true;
    NGINX = "nginx", "/usr/sbin/nginx", "", false;
    SSHD = "sshd", "/usr/sbin/sshd", "", true;
    APT = "apt-get", "/usr/bin/apt-get", "", true;
    LAUNCHD = "launchd", "/sbin/launchd", "Software Signing", true;
    SAFARI = "Safari", "/Applications/Safari.app/Contents/MacOS/Safari", "Software Signing", false;
    MDWORKER = "mdworker_shared", "/System/Library/Frameworks/CoreServices.framework/mdworker_shared", "Software Signing", false;
}
