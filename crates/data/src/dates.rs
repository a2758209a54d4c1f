//! Dates and times taken apart into numbers.
//!
//! Read are `2024-03-31`, `2024/03/31`, `31.03.2024`, `31/03/2024` and
//! `03/31/2024`, each with a time behind it or not (`T` or a blank between,
//! `14:05`, `14:05:30`, `14:05:30.25`, and `Z` or `+01:00`, which is not
//! looked at: the parts are those that are written), and times alone.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Faults, Place, codes};
use crate::raw::{Data, NONE, Places};

/// A number a date holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// The year.
    Year,
    /// 1 to 12.
    Month,
    /// 1 to 31.
    Day,
    /// 0 is Monday, 6 is Sunday.
    Weekday,
    /// 0 to 24, with minutes and seconds behind the point.
    Hour,
}

impl DatePart {
    /// Every part that comes from a date, and then the time.
    pub(crate) const ALL: [Self; 5] = [Self::Year, Self::Month, Self::Day, Self::Weekday, Self::Hour];

    /// Its name behind the column's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }
}

/// How the statistics remember a part of a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateColumn {
    /// The column in the file.
    pub column: String,
    /// Which part.
    pub part: DatePart,
    /// Whether `3/4/2024` is the third of April.
    pub day_first: bool,
}

/// One date, time, or both.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Date {
    /// Year, month, day.
    date: Option<(i32, u32, u32)>,
    hour: Option<f64>,
}

impl Date {
    /// NaN where the part is not there.
    pub(crate) fn part(self, part: DatePart) -> f64 {
        let of_date = |f: fn((i32, u32, u32)) -> f64| self.date.map_or(f64::NAN, f);
        match part {
            DatePart::Year => of_date(|d| f64::from(d.0)),
            DatePart::Month => of_date(|d| f64::from(d.1)),
            DatePart::Day => of_date(|d| f64::from(d.2)),
            DatePart::Weekday => of_date(weekday),
            // A date without a time is its midnight.
            DatePart::Hour => self.hour.or(self.date.map(|_| 0.0)).unwrap_or(f64::NAN),
        }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((y, m, d)) = self.date {
            write!(f, "{y:04}-{m:02}-{d:02}")?;
        }
        if let Some(hour) = self.hour {
            let blank = if self.date.is_some() { " " } else { "" };
            let minutes = (hour * 60.0).round() as u32;
            write!(f, "{blank}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        if *self == Self::default() { write!(f, "·") } else { Ok(()) }
    }
}

/// The parts that tell rows apart: those of the date where there are dates,
/// and the hour where there are times.
pub(crate) fn parts(dates: &[Date]) -> Vec<DatePart> {
    let has_date = dates.iter().any(|d| d.date.is_some());
    let has_time = dates.iter().any(|d| d.hour.is_some_and(|h| h != 0.0));
    let all = DatePart::ALL.into_iter();
    all.filter(|&p| if p == DatePart::Hour { has_time || !has_date } else { has_date }).collect()
}

/// Days since 1970-01-01 in the calendar of today (Hinnant's algorithm),
/// turned into the day of the week.
fn weekday((year, month, day): (i32, u32, u32)) -> f64 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let month = i64::from(month);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    (days + 3).rem_euclid(7) as f64
}

/// The numbers of a date in the order they are written.
struct Written {
    numbers: [u32; 3],
    /// Whether the year is first; else it is last.
    year_first: bool,
    /// `31.03.2024`: the day is first, by custom.
    dots: bool,
}

/// Turns a column of text into dates. `day_first` is known when rows are
/// encoded, and found out in training.
pub(crate) fn convert(
    data: &mut Data,
    day_first: Option<bool>,
    places: &Places,
    column: (usize, &str),
    faults: &mut Faults,
) -> bool {
    let Data::Text { codes: rows, vocabulary } = data else { return false };
    let written: Vec<Option<(Option<Written>, Option<f64>)>> =
        vocabulary.iter().map(|text| split(text)).collect();
    let slashed =
        || written.iter().flatten().filter_map(|w| w.0.as_ref()).filter(|w| !w.year_first && !w.dots);
    let first_is_day = slashed().any(|w| w.numbers[0] > 12);
    let second_is_day = slashed().any(|w| w.numbers[1] > 12);
    let unclear = day_first.is_none() && first_is_day == second_is_day && slashed().next().is_some();
    let day_first = day_first.unwrap_or(first_is_day);
    if unclear {
        let message =
            format!("in `{}` it cannot be told which number is the day and which the month", column.1);
        let fault = Fault::new(codes::ENCODING, message).help("write dates as 2024-03-31");
        faults.push(places.locate(fault, 0, column.0, column.1));
        return day_first;
    }
    let known: Vec<Option<Date>> =
        written.iter().map(|w| w.as_ref().and_then(|(d, t)| date(d.as_ref(), *t, day_first))).collect();
    let mut dates = Vec::with_capacity(rows.len());
    for (row, &code) in rows.iter().enumerate() {
        if code == NONE {
            dates.push(Date::default());
            continue;
        }
        let date = known[code as usize].unwrap_or_else(|| {
            faults.push_with(codes::NOT_A_NUMBER, || {
                let cell = vocabulary[code as usize].clone();
                let place = Place { cell: Some(cell.clone()), ..Place::default() };
                let fault = Fault::new(codes::NOT_A_NUMBER, format!("`{cell}` is no date")).place(place);
                places.locate(fault.expected("a date like 2024-03-31 14:05"), row, column.0, column.1)
            });
            Date::default()
        });
        dates.push(date);
    }
    *data = Data::Dates(dates);
    day_first
}

fn split(text: &str) -> Option<(Option<Written>, Option<f64>)> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (Some(date), Some(time.trim())),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let date = match date {
        Some(text) => Some(numbers(text)?),
        None => None,
    };
    let hour = match time {
        Some(text) => Some(clock(text)?),
        None => None,
    };
    Some((date, hour))
}

fn numbers(text: &str) -> Option<Written> {
    let separator = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '-' | '/' | '.'))?;
    let mut parts = text.split(separator);
    let mut next = || {
        let part = parts.next().filter(|p| (1..=4).contains(&p.len()))?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(part)
    };
    let (a, b, c) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    let year_first = a.len() == 4;
    if b.len() > 2 || (if year_first { c.len() > 2 } else { c.len() != 4 || a.len() > 2 }) {
        return None;
    }
    let numbers = [a.parse().ok()?, b.parse().ok()?, c.parse().ok()?];
    Some(Written { numbers, year_first, dots: separator == '.' })
}

fn date(written: Option<&Written>, hour: Option<f64>, day_first: bool) -> Option<Date> {
    let Some(w) = written else { return Some(Date { date: None, hour }) };
    let [a, b, c] = w.numbers;
    let (year, month, day) = match (w.year_first, w.dots || day_first) {
        (true, _) => (a, b, c),
        (false, true) => (c, b, a),
        (false, false) => (c, a, b),
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(Date { date: Some((year as i32, month, day)), hour })
}

/// Hours of a time like `14:05:30.25+01:00`.
fn clock(text: &str) -> Option<f64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let zone = text.find(['+', '-']).unwrap_or(text.len());
    let mut parts = text[..zone].trim_end().split(':');
    let mut part = |below: f64| {
        let text = parts.next()?;
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value: f64 = text.parse().ok().filter(|_| plain)?;
        (value < below).then_some(value)
    };
    let (hour, minute) = (part(24.0)?, part(60.0)?);
    let second = part(61.0).unwrap_or(0.0);
    (parts.next().is_none()).then_some(hour + minute / 60.0 + second / 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, day_first: bool) -> Option<[f64; 5]> {
        let (d, t) = split(text)?;
        let date = date(d.as_ref(), t, day_first)?;
        Some(DatePart::ALL.map(|p| date.part(p)))
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(read("1970-01-01", false), Some([1970., 1., 1., 3., 0.]));
        assert_eq!(read("2024-02-29T14:30:36Z", false), Some([2024., 2., 29., 3., 14.51]));
        assert_eq!(read("31.12.1999 06:00", false), Some([1999., 12., 31., 4., 6.]));
        assert_eq!(read("3/4/2021", true), Some([2021., 4., 3., 5., 0.]));
        assert_eq!(read("3/4/2021", false), Some([2021., 3., 4., 3., 0.]));
        assert_eq!(read("2020/1/2 23:59+01:00", false).unwrap()[..4], [2020., 1., 2., 3.]);
        assert_eq!(read("18:15", false).unwrap()[4], 18.25);
        assert!(read("18:15", false).unwrap()[0].is_nan());
        for bad in
            ["", "2023-02-29", "2024-13-01", "hello", "2024-01", "24:00", "1/2/3", "2024-01-01T", "é-1-1"]
        {
            assert_eq!(read(bad, false), None, "{bad}");
        }
    }
}
