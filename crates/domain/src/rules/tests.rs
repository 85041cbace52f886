//! The table as a whole. Each rule by an alert through intake is a journey (`tests/journeys`).

use super::*;

#[test]
fn every_rule_has_exactly_one_line() {
    let mut ids: Vec<RuleId> = FLOOR.iter().map(|r| r.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), FLOOR.len()), (27, 27));
    assert_eq!(table::last().id, RuleId::R23);
}

#[test]
fn the_order_is_that_of_the_practice_page() {
    use RuleId::*;
    let order: Vec<RuleId> = FLOOR.iter().map(|r| r.id).filter(|id| *id != R21).collect();
    assert_eq!(
        order,
        [
            R18, R19, R24, R20, R01, R02, R03, R04, R22, R25, R26, R13, R14, R16, R17, R10, R05, R06, R07, R08, R09,
            R15, R27, R11, R12, R23
        ]
    );
}

#[test]
fn only_r01_to_r04_can_say_p0_and_modifiers_stop_at_p1() {
    for rule in FLOOR {
        assert!(rule.priority != Priority::P0 || rule.id <= RuleId::R04, "{}", rule.id);
    }
    assert_eq!(Priority::P1.raised(), Priority::P1);
}

#[test]
fn a_case_that_says_nothing_is_still_judged_as_missing_information_r23() {
    let judged = judge(&Case { alerts: &[], classes: &[], hosts: 0, answer: None, before: None });
    assert_eq!((judged.rule, judged.verdict), (RuleId::R23, Verdict::Undetermined));
}
