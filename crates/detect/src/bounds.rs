//! What a rule may cost before it is compiled: a hostile collection must not make loading or matching expensive.
//!
//! Matching itself is linear (the engine's regular expressions never backtrack); what can grow is the compiled form.
//! Depth and length of conditions, and depth of YAML, the parser bounds itself.

use regex::RegexBuilder;
use rsigma_parser::{Detection, DetectionItem, Modifier, SigmaRule, SigmaValue};

/// Values of one rule. Lists of hashes of vulnerable drivers have some 4,000.
const MAX_VALUES: usize = 20_000;
const MAX_PATTERN_BYTES: usize = 1024;
/// Compiled size of a regular expression. Nearly all are small; a few in public use (`\w{1,64}`) need some MiB.
const SMALL_BYTES: usize = 256 * 1024;
const LARGE_BYTES: usize = 4 * 1024 * 1024;
/// Of one collection: together at most some hundred MiB. Sigma's whole tree has 202.
const MAX_REGEXES: usize = 2_000;
const MAX_LARGE: usize = 64;
/// `windash` writes a value once for each of five dashes in each place: five to the power of the dashes.
const MAX_VARIANTS: u64 = 50_000;

/// What the rules of one collection have used up of it.
#[derive(Default)]
pub(crate) struct Budget {
    regexes: usize,
    large: usize,
}

/// `Err` says why the rule is too expensive.
pub(crate) fn check(rule: &SigmaRule, budget: &mut Budget) -> Result<(), String> {
    let mut cost = Cost { values: 0, variants: 0, budget };
    rule.detection.named.values().try_for_each(|detection| cost.add(detection))
}

struct Cost<'a> {
    values: usize,
    variants: u64,
    budget: &'a mut Budget,
}

impl Cost<'_> {
    fn add(&mut self, detection: &Detection) -> Result<(), String> {
        match detection {
            Detection::AllOf(items) => items.iter().try_for_each(|item| self.item(item)),
            Detection::AnyOf(parts) | Detection::And(parts) => parts.iter().try_for_each(|part| self.add(part)),
            Detection::Keywords(values) => self.count(values.len()),
            Detection::ArrayMatch { body, .. } => self.add(body),
            Detection::Conditional { named, .. } => named.values().try_for_each(|part| self.add(part)),
        }
    }

    fn item(&mut self, item: &DetectionItem) -> Result<(), String> {
        self.count(item.values.len())?;
        for text in item.values.iter().filter_map(text_of) {
            if item.field.has_modifier(Modifier::Re) {
                self.regex(text)?;
            }
            if item.field.has_modifier(Modifier::WindAsh) {
                let dashes = u32::try_from(text.matches('-').count()).unwrap_or(u32::MAX);
                self.variants = self.variants.saturating_add(5u64.saturating_pow(dashes));
                if self.variants > MAX_VARIANTS {
                    return Err(format!("its `windash` values stand for more than {MAX_VARIANTS} variants"));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.values += more;
        if self.values > MAX_VALUES { Err(format!("more than {MAX_VALUES} values")) } else { Ok(()) }
    }

    fn regex(&mut self, pattern: &str) -> Result<(), String> {
        self.budget.regexes += 1;
        if self.budget.regexes > MAX_REGEXES {
            return Err(format!("more than {MAX_REGEXES} regular expressions in the collection"));
        }
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(format!("a regular expression longer than {MAX_PATTERN_BYTES} bytes"));
        }
        let compiled = |limit| RegexBuilder::new(pattern).size_limit(limit).build();
        if compiled(SMALL_BYTES).is_ok() {
            return Ok(());
        }
        compiled(LARGE_BYTES).map_err(|e| format!("a regular expression that cannot be used: {e}"))?;
        self.budget.large += 1;
        if self.budget.large > MAX_LARGE {
            return Err(format!(
                "more than {MAX_LARGE} regular expressions of over {SMALL_BYTES} bytes in the collection"
            ));
        }
        Ok(())
    }
}

fn text_of(value: &SigmaValue) -> Option<&str> {
    match value {
        SigmaValue::String(text) => Some(&text.original),
        _ => None,
    }
}
