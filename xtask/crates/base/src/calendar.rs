//! Times, days and months in UTC.

use crate::problem::{Problem, shortened};
use std::fmt;
use std::str::FromStr;

/// Seconds since 1970 as RFC 3339: `2027-06-30T12:00:00Z`.
pub fn in_utc(seconds: u32) -> String {
    let (year, month, day, hour, minute, second) = datealgo::secs_to_datetime(i64::from(seconds));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time of RFC 3339 in UTC, as locks have it, in seconds since 1970; `None` for other texts and for times before.
pub fn seconds_since_1970(text: &str) -> Option<u32> {
    let time: toml::value::Datetime = text.parse().ok()?;
    let (date, clock) = (time.date?, time.time?);
    let date = (i32::from(date.year), date.month, date.day);
    let days = datealgo::date_to_rd(date);
    let clock = i64::from(clock.hour) * 3600 + i64::from(clock.minute) * 60 + i64::from(clock.second.unwrap_or(0));
    u32::try_from(i64::from(days) * 86_400 + clock).ok()
}

/// A day, `2027-06-30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// The day of a time in seconds since 1970.
    pub fn at(seconds: u32) -> Self {
        let (year, month, day, ..) = datealgo::secs_to_datetime(i64::from(seconds));
        // 32 bits of seconds end in 2106.
        Self { year: u16::try_from(year).unwrap_or(u16::MAX), month, day }
    }

    /// The day of a time in RFC 3339, `2027-06-30T12:00:00Z`.
    ///
    /// # Errors
    /// If the text does not start with a day.
    pub fn of(time: &str) -> anyhow::Result<Self> {
        time.split('T').next().unwrap_or_default().parse()
    }

    /// As the changelog of a spec has it: `Tue Nov 14 2023`.
    pub fn in_spec(self) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let weekday = datealgo::date_to_weekday((i32::from(self.year), self.month, self.day));
        let Month { year, month } = Month::of(self);
        let month = &MONTHS[usize::from(month) - 1][..3];
        format!("{} {month} {:02} {year}", DAYS[usize::from(weekday) - 1], self.day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Day {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let number = |part: &str, digits| {
            let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| is_number)
        };
        let parts: Vec<&str> = text.split('-').collect();
        let read = || {
            let [year, month, day] = parts.as_slice() else { return None };
            let (year, month, day) = (number(year, 4)?, number(month, 2)? as u8, number(day, 2)? as u8);
            let is_day =
                (1..=12).contains(&month) && (1..=datealgo::days_in_month(i32::from(year), month)).contains(&day);
            is_day.then_some(Self { year, month, day })
        };
        read().ok_or_else(|| {
            let what = format!("`{}` is not a day", shortened(text).escape_debug());
            Problem::with_hint(what, "write year, month and day: \"2027-06-30\"")
        })
    }
}

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// such as 2027
    pub year: u16,
    /// from 1
    pub month: u8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Month {
    /// The month of a day.
    pub fn of(day: Day) -> Self {
        Self { year: day.year, month: day.month }
    }

    /// How many months before this one another is; negative for a later one.
    pub fn since(self, earlier: Self) -> i32 {
        let months = |of: Self| i32::from(of.year) * 12 + i32::from(of.month);
        months(self) - months(earlier)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", MONTHS[usize::from(self.month.clamp(1, 12)) - 1], self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for seconds in [0, 951_782_399, 951_782_400, 951_868_799, 951_868_800, 1_709_164_800, 1_735_689_599, u32::MAX] {
            assert_eq!(seconds_since_1970(&in_utc(seconds)), Some(seconds), "{}", in_utc(seconds));
            assert_eq!(Day::of(&in_utc(seconds)).unwrap(), Day::at(seconds));
        }
        assert_eq!(in_utc(951_825_601), "2000-02-29T12:00:01Z");
    }

    #[test]
    fn times_of_the_lock_become_seconds() {
        #[rustfmt::skip]
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:01Z", Some(951_825_601)),
            ("2024-04-07T19:26:08Z", Some(1_712_517_968)),
            ("2024-12-31T23:59:59Z", Some(1_735_689_599)),
            ("1969-12-31T23:59:59Z", None),
            ("2024-04-07",           None),
            ("nonsense",             None),
        ];
        for (text, seconds) in cases {
            assert_eq!(seconds_since_1970(text), seconds, "{text}");
        }
    }

    #[test]
    fn days_are_written_as_in_the_changelog_of_a_spec() {
        #[rustfmt::skip]
        let cases = [ // `LC_ALL=C date -u -d @TIME "+%a %b %d %Y"`
            (0,             "Thu Jan 01 1970"),
            (951_782_399,   "Mon Feb 28 2000"),
            (951_782_400,   "Tue Feb 29 2000"),
            (951_868_800,   "Wed Mar 01 2000"),
            (1_700_000_000, "Tue Nov 14 2023"),
            (1_735_689_599, "Tue Dec 31 2024"),
            (4_107_542_400, "Mon Mar 01 2100"),
            (u32::MAX,      "Sun Feb 07 2106"),
        ];
        for (time, date) in cases {
            assert_eq!(Day::at(time).in_spec(), date, "{time}");
        }
    }
}
