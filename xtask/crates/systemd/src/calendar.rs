//! When a timer elapses: systemd.time(7), "Calendar Events", as `calendar_spec_from_string` of systemd reads it.

/// Words for a whole expression.
const SHORTHANDS: [&str; 13] = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
    "annually",
    "anually",
    "semiannually",
    "semi-annually",
    "biannually",
    "bi-annually",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What a value may be, and whether it may have a fraction.
#[derive(Clone, Copy)]
struct Range {
    least: u32,
    most: u32,
    has_fraction: bool,
}

const fn whole(least: u32, most: u32) -> Range {
    Range { least, most, has_fraction: false }
}

const YEAR: Range = whole(1970, 2199);
const MONTH: Range = whole(1, 12);
const DAY: Range = whole(1, 31);
/// Of hours, minutes, seconds.
const TIME: [Range; 3] = [whole(0, 23), whole(0, 59), Range { has_fraction: true, ..whole(0, 59) }];

/// Whether systemd takes a text for a calendar event. A time zone is judged by its shape alone: which ones there are
/// is the box's affair.
pub(super) fn is_calendar(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let text = match text.rsplit_once(' ') {
        Some((event, zone)) if is_zone(zone) && !are_days(zone) && !SHORTHANDS.contains(&zone) => event,
        _ => &text,
    };
    let text = text.trim_end_matches(' ');
    if text.is_empty() {
        return false;
    }
    if SHORTHANDS.contains(&text) {
        return true;
    }
    let (first, behind) = text.split_once(' ').unwrap_or((text, ""));
    let rest = match first.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true if are_days(first) => behind.trim_start_matches(' '),
        true => return false,
        false => text,
    };
    let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    let time = match first.contains(':') {
        true => rest,
        false if rest.is_empty() => return true,
        false if first.starts_with('@') => return is_date(first) && behind.is_empty(),
        false if is_date(first) => behind.trim_start_matches(' '),
        false => return false,
    };
    time.is_empty() || is_time(time)
}

/// `utc`, `europe/berlin`, `etc/gmt+1`
fn is_zone(word: &str) -> bool {
    let is_known_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(is_known_part)
}

/// `mon`, `mon..fri`, `mon,wed-fri,`
fn are_days(list: &str) -> bool {
    let day = |name: &str| DAYS.iter().position(|day| name == *day || name == &day[..3]);
    let list = list.strip_suffix(',').unwrap_or(list);
    list.split(',').all(|part| match part.split_once("..").or_else(|| part.split_once('-')) {
        Some((from, to)) => day(from).zip(day(to)).is_some_and(|(from, to)| from <= to),
        None => day(part).is_some(),
    })
}

/// `@TIMESTAMP`, `YEAR-MONTH-DAY`, `MONTH-DAY`; `~` before the day counts from the end of the month.
fn is_date(text: &str) -> bool {
    if let Some(seconds) = text.strip_prefix('@') {
        return are_digits(seconds);
    }
    let Some((before, day)) = text.rsplit_once(['-', '~']) else { return false };
    let are_before = match before.split_once('-') {
        Some((year, month)) => is_list(year, YEAR) && is_list(month, MONTH),
        None => is_list(before, MONTH),
    };
    are_before && is_list(day, DAY)
}

/// `HOUR:MINUTE`, `HOUR:MINUTE:SECOND`
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    (2..=3).contains(&parts.len()) && parts.iter().zip(TIME).all(|(part, range)| is_list(part, range))
}

/// `*`, or values, ranges and steps with commas: `1,5..7,0/15`.
fn is_list(list: &str, range: Range) -> bool {
    list == "*" || list.split(',').all(|part| is_part(part, range).unwrap_or(false))
}

fn is_part(part: &str, range: Range) -> Option<bool> {
    let Range { least, most, .. } = range;
    let (values, step) = part.split_once('/').map_or((part, None), |(values, step)| (values, Some(step)));
    let (from, to) = values.split_once("..").map_or((values, None), |(from, to)| (from, Some(to)));
    let year = |text: &str| {
        Some(match number(text, range)?.0 {
            value @ 0..70 if least == YEAR.least => value + 2000,
            value @ 70..100 if least == YEAR.least => value + 1900,
            value => value,
        })
    };
    let from = year(from)?;
    let to = to.map_or(Some(from), year)?;
    let fits = least <= from && from <= to && to <= most;
    let has_step = match step {
        Some(step) => {
            let (step, is_none) = number(step, range)?;
            !is_none && step <= most.checked_sub(from)?
        }
        None => true,
    };
    Some(fits && has_step)
}

/// The whole part of a number, and whether all of it is zero.
fn number(text: &str, range: Range) -> Option<(u32, bool)> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let fits = are_digits(whole) && fraction.is_none_or(|rest| range.has_fraction && are_digits(rest));
    let value = whole.parse().ok().filter(|_| fits)?;
    Some((value, text.chars().all(|c| matches!(c, '0' | '.'))))
}

/// Some, and no more than any number here has.
fn are_digits(text: &str) -> bool {
    (1..12).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_events_are_told_from_other_words() {
        // `tests/units.rs` asks the real systemd about more.
        for event in
            ["daily", "Weekly UTC", "Mon..Fri *-*-* 9:00", "*:0/15", "2027-01-01 05:40:23.5 Europe/Berlin", "*-02~03"]
        {
            assert!(is_calendar(event), "{event}");
        }
        for other in ["", "sometimes", "24:00", "*-13-01", "Fri..Mon", "mon fri", "9", "*/2:00", "é", "1/0:00"] {
            assert!(!is_calendar(other), "{other}");
        }
    }
}
