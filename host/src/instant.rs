//! Instants as texts: RFC 3339 in UTC. Milliseconds since 1970 everywhere else.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// What [`parse`] takes, for a message.
pub const ACCEPTED: &str = "it takes a time ago such as 30m, 2h or 3d, or an instant such as 2026-11-21T08:00:00Z or 2026-11-21 (UTC)";

/// Bytes of an instant of these days.
const SHOWN_BYTES: usize = 24;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Days from the first of March of the year 0 to 1970, as the calendar below counts.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

/// A clock's time in milliseconds.
#[must_use]
pub fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-21T08:41:13.250Z`.
#[must_use]
pub fn shown(at_ms: i64) -> String {
    let (year, month, day) = date(at_ms.div_euclid(DAY_MS));
    let ms = at_ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let mut text = String::with_capacity(SHOWN_BYTES);
    // A text takes everything.
    let _ = write!(text, "{year:04}");
    // Two of them are recorded of each command: digits by themselves take less than a template with widths.
    let others = [('-', month, 2), ('-', day, 2), ('T', hour, 2), (':', minute, 2), (':', second, 2), ('.', ms % 1000, 3)];
    for (before, number, places) in others {
        text.push(before);
        let digits = (0..places).rev().map(|place| number / 10_i64.pow(place) % 10);
        text.extend(digits.filter_map(|digit| char::from_digit(u32::try_from(digit).ok()?, 10)));
    }
    text.push('Z');
    text
}

/// From `2h` (that long before `now_ms`), `2026-11-21`, or `2026-11-21T08:41:13Z`, also without seconds, with a fraction, or with
/// an offset like `+01:00`. Without an offset it is UTC.
#[must_use]
pub fn parse(text: &str, now_ms: i64) -> Option<i64> {
    before(text, now_ms).or_else(|| absolute(text))
}

fn before(text: &str, now_ms: i64) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    now_ms.checked_sub(number(digits)?.checked_mul(unit_ms)?)
}

/// Digits only.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn absolute(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00:00Z"));
    let [year, month, day] = three(date, '-', [4, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || self::date(days(year, month, day)) != (year, month, day) {
        return None;
    }
    let (time, offset_ms) = offset(time)?;
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    let with_seconds = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
    let [hour, minute, second] = three(&with_seconds, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    number(fraction)?;
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    let in_day = (hour * 3600 + minute * 60 + second) * 1000 + number(&ms)?;
    Some(days(year, month, day) * DAY_MS + in_day - offset_ms)
}

fn three(text: &str, separator: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut part = |length| parts.next().filter(|part| part.len() == length).and_then(number);
    let [first, second, third] = lengths;
    let found = [part(first)?, part(second)?, part(third)?];
    parts.next().is_none().then_some(found)
}

/// The time without its offset, and the offset.
fn offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (time, offset) = time.split_at_checked(at)?;
    let (sign, digits) = offset.split_at_checked(1)?;
    let [hours, minutes, _] = three(&format!("{digits}:00"), ':', [2, 2, 2])?;
    let ms = (hours * 60 + minutes) * 60_000;
    (hours < 24 && minutes < 60).then_some((time, if sign == "-" { -ms } else { ms }))
}

/// Days since 1970. The year begins in March, so that the day of a leap year is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS
}

/// The year, month and day of a number of days since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_reads_back_as_it_is_shown() {
        for day in (-200_000..200_000).step_by(7) {
            let (year, month, dom) = date(day);
            assert_eq!(days(year, month, dom), day);
        }
        assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(shown(1_709_164_799_999), "2024-02-28T23:59:59.999Z");
        assert_eq!(shown(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
    }

    #[test]
    fn instants_are_read_as_people_write_them() {
        let now = 1_000_000_000;
        let day = 1_709_164_800_000;
        for (text, expected) in [
            ("2h", Some(now - 7_200_000)),
            ("3d", Some(now - 3 * DAY_MS)),
            ("1w", Some(now - 7 * DAY_MS)),
            ("90s", Some(now - 90_000)),
            ("15m", Some(now - 900_000)),
            ("2024-02-29", Some(day)),
            ("2024-02-29T01:00:00Z", Some(day + 3_600_000)),
            ("2024-02-29T01:00:00.25Z", Some(day + 3_600_250)),
            ("2024-02-29T01:00", Some(day + 3_600_000)),
            ("2024-02-29 01:00:00", Some(day + 3_600_000)),
            ("2024-02-29T01:00:00+01:00", Some(day)),
            ("2024-02-28T23:00:00-01:00", Some(day)),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-02-29T24:00:00Z", None),
            ("2024-02-29T01:00:00+1", None),
            ("24-2-29", None),
            ("2 h", None),
            ("-2h", None),
            ("h", None),
            ("2y", None),
            ("99999999999999999d", None),
            ("yesterday", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(parse(text, now), expected, "{text}");
        }
    }
}
