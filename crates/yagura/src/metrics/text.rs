//! The Prometheus text format, as far as we need it (version 0.0.4): families of gauges and counters.

use std::fmt::Write as _;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Only ever grows; its name ends in `_total`.
    Counter,
    Gauge,
}

/// A page under construction. Every family is written once, with all of its samples.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn gauge<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        self.family(Kind::Gauge, name, help, samples);
    }

    pub(super) fn counter<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        self.family(Kind::Counter, name, help, samples);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn family<'a>(&mut self, kind: Kind, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let out = &mut self.0;
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for Sample { labels, value } in samples {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    }
}

/// One number of a family. No two samples of a family have the same labels.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    labels: Vec<(&'static str, &'a str)>,
    value: f64,
}

/// Counts are far below the point where a float skips whole numbers.
#[expect(clippy::cast_precision_loss, reason = "the format knows floats only; 2^53 alerts will not come")]
pub(super) fn count<'a>(labels: &[(&'static str, &'a str)], value: u64) -> Sample<'a> {
    Sample { labels: labels.to_vec(), value: value as f64 }
}

pub(super) fn number<'a>(labels: &[(&'static str, &'a str)], value: f64) -> Sample<'a> {
    Sample { labels: labels.to_vec(), value }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_the_format_demands() {
        let mut page = Page::default();
        let labels = [("loop", "in\\take/\"a\"\nb"), ("state", "ok")];
        page.gauge("yagura_a", "What it is,\nand a \\.", [number(&labels, 0.25), count(&[], 1_000_000)]);
        page.counter("yagura_b_total", "More \"of\" it.", [count(&[("tenant", "櫓")], 3)]);
        page.gauge("yagura_none", "Nothing yet.", []);
        let expected = concat!(
            "# HELP yagura_a What it is,\\nand a \\\\.\n",
            "# TYPE yagura_a gauge\n",
            "yagura_a{loop=\"in\\\\take/\\\"a\\\"\\nb\",state=\"ok\"} 0.25\n",
            "yagura_a 1000000\n",
            "# HELP yagura_b_total More \"of\" it.\n",
            "# TYPE yagura_b_total counter\n",
            "yagura_b_total{tenant=\"櫓\"} 3\n",
            "# HELP yagura_none Nothing yet.\n",
            "# TYPE yagura_none gauge\n",
        );
        assert_eq!(page.into_text(), expected);
    }
}
