//! Retentions as arguments.

use std::time::Duration;

use selkie::Retention;

/// Which past versions are kept, from an argument.
pub(crate) fn parse(text: &str) -> Result<Retention, String> {
    let wrong = || format!("`{text}` is not `none`, `forever`, a number or an age like `7d`");
    if let Some(unit) = text.chars().last().and_then(seconds) {
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
        return Ok(Retention::Age(Duration::from_secs(seconds)));
    }
    match text {
        "none" => Ok(Retention::None),
        "forever" => Ok(Retention::Forever),
        number => number.parse().map(Retention::Versions).map_err(|_| wrong()),
    }
}

fn seconds(unit: char) -> Option<u64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retentions_are_words_numbers_or_ages() {
        assert_eq!(parse("none"), Ok(Retention::None));
        assert_eq!(parse("forever"), Ok(Retention::Forever));
        assert_eq!(parse("12"), Ok(Retention::Versions(12)));
        assert_eq!(parse("2h"), Ok(Retention::Age(Duration::from_secs(7200))));
        for wrong in ["", "d", "-1", "1.5h", "often", "99999999999999999999d", "3\u{e4}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
