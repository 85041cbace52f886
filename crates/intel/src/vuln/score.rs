//! CVSS base scores, worked out again from the published vector.

use std::str::FromStr;

use cvss::Cvss;
use domain::vulnerability::Score;

use super::record::PublishedScore;

/// `None` when the vector is not a valid one of version 2, 3 or 4.
pub fn base_score(vector: &str) -> Option<f64> {
    let vector = vector.trim().trim_start_matches('(').trim_end_matches(')');
    if vector.len() > 400 {
        return None;
    }
    // The library takes a missing metric for its mildest value; a base score needs all of them.
    let given = |metric: &str| vector.split('/').any(|part| part.split(':').next() == Some(metric));
    if vector.starts_with("CVSS:3") && !["AV", "AC", "PR", "UI", "S", "C", "I", "A"].into_iter().all(given) {
        return None;
    }
    let score = match Cvss::from_str(vector).ok()? {
        Cvss::CvssV30(vector) | Cvss::CvssV31(vector) => vector.base_score().value(),
        other => other.score(),
    };
    Some((score * 10.0).round() / 10.0)
}

pub(crate) fn shown(published: &PublishedScore) -> Score {
    Score {
        version: published.version.clone(),
        recomputed: base_score(&published.vector),
        vector: published.vector.clone(),
        score: published.score,
        by: published.by.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_three_standards_give_their_scores() {
        for (vector, score) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8),
            ("(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 10.0),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
        assert_eq!(base_score("CVSS:3.1/AV:N"), None);
        assert_eq!(base_score("9.8"), None);
    }
}
