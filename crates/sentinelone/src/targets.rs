//! What an act is aimed at. To the console an empty or misspelt filter means every object in scope, so a list of targets
//! cannot be empty, cannot be long, and is the only way to aim.

use std::fmt::Display;

/// More than this in one call is a mistake, not an act.
pub const MAX_TARGETS: usize = 100;

/// One to `MAX_TARGETS` ids, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets<T>(Vec<T>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTargets {
    #[error("an act needs at least one target")]
    None,
    #[error("an act takes at most {MAX_TARGETS} targets, not {0}")]
    TooMany(usize),
}

impl<T: Clone + PartialEq + Display> Targets<T> {
    pub fn new(ids: &[T]) -> Result<Self, InvalidTargets> {
        let mut distinct: Vec<T> = Vec::new();
        for id in ids.iter().take(MAX_TARGETS * 10) {
            if !distinct.contains(id) {
                distinct.push(id.clone());
            }
        }
        match distinct.len() {
            0 => Err(InvalidTargets::None),
            1..=MAX_TARGETS if ids.len() <= MAX_TARGETS * 10 => Ok(Self(distinct)),
            _ => Err(InvalidTargets::TooMany(ids.len())),
        }
    }

    pub fn one(id: T) -> Self {
        Self(vec![id])
    }

    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_everything_are_no_targets() {
        assert_eq!(Targets::<u32>::new(&[]), Err(InvalidTargets::None));
        let many: Vec<u32> = (0..101).collect();
        assert_eq!(Targets::new(&many), Err(InvalidTargets::TooMany(101)));
        assert_eq!(Targets::new(&[7, 7, 8]).unwrap().as_slice(), [7, 8]);
    }
}
