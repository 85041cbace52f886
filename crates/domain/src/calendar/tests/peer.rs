//! A public tool says the same: the answers of Business::Hours 0.13, which Request Tracker counts its service levels with,
//! as `peer.pl` recorded them (issue 3).

use std::process::Command;

use super::super::*;

const ANSWERS: &str = include_str!("peer.csv");

#[test]
fn a_public_tool_agrees_on_a_sample_rel_11() {
    let calendar = Calendar::japan();
    let rows: Vec<&str> = ANSWERS.lines().skip(1).collect();
    assert!(rows.len() > 400, "the sample is cut short: {}", rows.len());
    for row in rows {
        let [start, minutes, due] = row.split(',').collect::<Vec<_>>()[..] else { panic!("three fields: {row}") };
        let got = calendar.due(start.parse().unwrap(), minutes.parse().unwrap(), Hours::Business).unwrap();
        assert_eq!(got, due.parse().unwrap(), "{row}");
    }
}

#[test]
#[ignore = "needs Perl with Business::Hours, on Debian the package libbusiness-hours-perl"]
fn the_recorded_answers_are_what_the_tool_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/calendar/tests");
    let mut perl = Command::new("perl");
    perl.current_dir(folder).env("TZ", "JST-9").args(["peer.pl", "../../../data/syukujitsu_utf8.csv"]);
    let said = perl.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(String::from_utf8(said.stdout).unwrap(), ANSWERS);
}
