//! Dates and times taken apart into numbers.
//!
//! Read are
//!
//! - `2024-03-31`, `2024/3/31`, `20240331`, and months: `2024-03`;
//! - `31.03.2024`, and with slashes or dashes `31/03/2024` or `03/31/2024`:
//!   the whole column decides which number is the day, or `day_first`;
//! - years of two digits, `3/31/24`: 69 to 99 are of the 20th century, 00 to
//!   68 of the 21st;
//! - months by their English names: `31-Mar-24`, `Mar 31, 2024`,
//!   `31 March 2024`, `Sun, 31 Mar 2024`, `Mar 2024`;
//! - each with a time behind it or not (`T` or a blank between): `14:05`,
//!   `14:05:30.25`, `18.00.00`, `2:05 PM`, `2 pm`; `Z` or `+01:00` behind it is
//!   not looked at: the parts are those that are written;
//! - times alone.
//!
//! What Unix (`Mon Feb 5 10:00:00 2024`) and web servers
//! (`05/Feb/2024:10:00:00 +0000`) write, and `20240105140530`, is read, too.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Faults, Place, codes};
use crate::raw::{Data, NONE, Places, Spilled, SpilledKind};

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

/// What is told of a text that is no date.
pub(crate) const FORMS: &str = "2024-03-31, 2024-03, 20240331, 31.03.2024, 3/31/24, 31-Mar-2024 or Mar 31, 2024, \
     alone or with a time such as 14:05, 14:05:30.5, 2:05 PM or 18.00.00";

/// A date in the order it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    /// Year, month, day.
    Known([u32; 3]),
    /// Day and month in some order, then the year.
    Unclear([u32; 3]),
    /// `18.03.04`, a date or a time.
    Dotted([u32; 3]),
}

/// A date, a time, or both.
type Parsed = (Option<Written>, Option<f64>);

/// What is known of a column before its texts are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// Whether `3/4/2024` is the third of April.
    pub(crate) day_first: Option<bool>,
    /// Whether training found that out: then no number of the column says otherwise.
    pub(crate) known: bool,
    /// Whether the column holds times only.
    pub(crate) times: Option<bool>,
}

impl Order {
    /// The day before the month, or after it.
    pub(crate) fn days(day_first: bool) -> Self {
        Self { day_first: Some(day_first), known: true, times: None }
    }
}

/// Turns a column of text into dates. The order is known when rows are
/// encoded, and found out in training.
pub(crate) fn convert(
    data: &mut Data,
    order: Order,
    places: &Places,
    column: (usize, &str),
    faults: &mut Faults,
) -> bool {
    if let Data::Spilled(Spilled { of: SpilledKind::Text { vocabulary, day_first: kept, .. }, .. }) = data {
        // The rows stay where they are; each distinct text is looked at once.
        let codes = (0..vocabulary.len() as u32).collect();
        let mut distinct = Data::Text { codes, vocabulary: Arc::clone(vocabulary) };
        let file = Places { paths: places.paths.clone(), handle: places.handle, ..Places::default() };
        let found = convert(&mut distinct, order, &file, column, faults);
        *kept = Some(found);
        return found;
    }
    let Data::Text { codes: rows, vocabulary } = data else { return false };
    let parsed: Vec<Option<Parsed>> = vocabulary.iter().map(|text| parse(text)).collect();
    let unclear = || {
        parsed.iter().zip(vocabulary.iter()).filter_map(|(p, text)| match p.as_ref()?.0? {
            Written::Unclear(numbers) => Some((numbers, text)),
            Written::Known(_) | Written::Dotted(_) => None,
        })
    };
    let first_is_day = unclear().any(|(w, _)| w[0] > 12);
    let second_is_day = unclear().any(|(w, _)| w[1] > 12);
    // A program says it for the columns that do not say it themselves.
    let day_first = match order.day_first {
        Some(said) if order.known || first_is_day == second_is_day => said,
        _ => first_is_day,
    };
    if let (None, true, Some((_, text))) = (order.day_first, first_is_day == second_is_day, unclear().next())
    {
        faults.push(in_doubt(text, places, column));
        return day_first;
    }
    // `18.03.04` is a date, but where none of the column can be one.
    let dotted = || {
        parsed.iter().filter_map(|p| match p.as_ref()?.0? {
            Written::Dotted(numbers) => Some(numbers),
            Written::Known(_) | Written::Unclear(_) => None,
        })
    };
    let times = order.times.unwrap_or_else(|| dotted().any(|n| n[1] == 0 || n[1] > 12 || n[0] == 0));
    let known: Vec<Option<Date>> =
        parsed.iter().map(|p| p.as_ref().and_then(|&(w, hour)| date(w, hour, day_first, times))).collect();
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
                places.locate(fault.expected(format!("a date like {FORMS}")), row, column.0, column.1)
            });
            Date::default()
        });
        dates.push(date);
    }
    *data = Data::Dates(dates);
    day_first
}

/// The fault for a column whose days and months cannot be told apart.
fn in_doubt(text: &str, places: &Places, column: (usize, &str)) -> Fault {
    let message = format!("in `{}` it cannot be told which number is the day and which the month", column.1);
    let path = places.paths.first().map_or("f.csv", String::as_str);
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let read = |day_first| {
        let (written, hour) = parse(text)?;
        date(written, hour, day_first, false)
    };
    let line = |word: &str, day_first| {
        let meaning = read(day_first).map_or(String::new(), |d| format!("   where `{text}` is {d}"));
        format!("data \"{file}\" day_first={word}{meaning}")
    };
    let help = format!("{}\n{}", line("yes", true), line("no", false));
    places.locate(Fault::new(codes::ENCODING, message).help(help), 0, column.0, column.1)
}

/// Whether nearly all of some texts are dates or times.
pub(crate) fn are_dates(texts: &[String]) -> bool {
    let most = texts.len().min(1000);
    let dates = texts[..most].iter().filter(|t| {
        parse(t).is_some_and(|p| date(p.0, p.1, false, false).or(date(p.0, p.1, true, false)).is_some())
    });
    most > 0 && dates.count() * 10 >= most * 9
}

fn parse(text: &str) -> Option<Parsed> {
    let text = text.trim();
    if !text.bytes().any(|b| b.is_ascii_digit()) || text.len() > 60 {
        return None;
    }
    let turned = year_last(text);
    let (date, time) = cut(turned.as_deref().unwrap_or(text));
    let date = match date.trim_end_matches([',', ' ', 'T']) {
        "" => None,
        date => Some(written(date)?),
    };
    let hour = match time {
        Some(time) => Some(clock(time)?),
        None => None,
    };
    (date.is_some() || hour.is_some()).then_some((date, hour))
}

/// `Mon Feb 5 10:00:00 2024`, as Unix and its mail write it, with the year
/// before the time.
fn year_last(text: &str) -> Option<String> {
    let (front, year) = text.rsplit_once(' ')?;
    let of_digits = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    let (day, time) = front[..front.find(':').filter(|_| of_digits)?].rsplit_once(' ')?;
    Some(format!("{day} {year} {time}{}", &front[day.len() + 1 + time.len()..]))
}

/// A text as its date and its time.
fn cut(text: &str) -> (&str, Option<&str>) {
    let digits = |end: usize| text[..end].bytes().rev().take_while(u8::is_ascii_digit).count();
    if let Some(colon) = text.find(':') {
        // `05/Feb/2024:10:00:00`, as web servers write it.
        if digits(colon) == 4 && colon > 4 {
            return (&text[..colon], Some(&text[colon + 1..]));
        }
        let begin = colon - digits(colon);
        return (&text[..begin], Some(&text[begin..]));
    }
    // `20240105140530`
    if matches!(text.len(), 12 | 14) && text.bytes().all(|b| b.is_ascii_digit()) {
        return (&text[..8], Some(&text[8..]));
    }
    // `20240105T1405`
    if let Some((date, time)) = text.split_once('T')
        && !date.is_empty()
        && [date, time].iter().all(|p| p.bytes().next().is_some_and(|b| b.is_ascii_digit()))
    {
        return (date, Some(time));
    }
    // `2 pm`
    let low = text.to_ascii_lowercase();
    if low.ends_with("am") || low.ends_with("pm") {
        let end = text[..text.len() - 2].trim_end().len();
        let begin = end - digits(end);
        if begin < end {
            return (&text[..begin], Some(&text[begin..]));
        }
    }
    // `10/03/2004 18.00.00`
    if let Some((date, time)) = text.rsplit_once(' ')
        && time.matches('.').count() == 2
        && time.len() <= 8
        && date.bytes().any(|b| b.is_ascii_digit())
    {
        return (date, Some(time));
    }
    (text, None)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The number of a name, from 1: whole, or its first three letters.
fn named(word: &str, names: &[&str]) -> Option<u32> {
    let low = word.to_ascii_lowercase();
    let found = names.iter().position(|n| *n == low || n[..3] == *low || low == "sept" && *n == "september");
    Some(found? as u32 + 1)
}

fn written(text: &str) -> Option<Written> {
    // Runs of digits, runs of letters, and what stands between them.
    let kind = |c: char| {
        if c.is_ascii_digit() {
            0
        } else if c.is_alphabetic() {
            1
        } else {
            2
        }
    };
    let mut numbers: Vec<&str> = Vec::new();
    let (mut month, mut month_at, mut marks) = (None, 0, String::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| kind(c) != kind(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        match kind(first) {
            0 => numbers.push(part),
            1 => match (named(part, &MONTHS), part.to_ascii_lowercase().as_str()) {
                (Some(_), _) if month.is_some() => return None,
                (Some(m), _) => (month, month_at) = (Some(m), numbers.len()),
                (None, "st" | "nd" | "rd" | "th" | "of") if !numbers.is_empty() => {}
                (None, _) if numbers.is_empty() && named(part, &DAYS).is_some() => {}
                (None, _) => return None,
            },
            _ => marks.push_str(part),
        }
        rest = after;
    }
    let value = |i: usize| numbers.get(i).filter(|n| n.len() <= 4).and_then(|n| n.parse::<u32>().ok());
    let year = |i: usize| {
        let y = value(i)?;
        match numbers[i].len() {
            4 => Some(y),
            2 => Some(if y < 69 { 2000 + y } else { 1900 + y }),
            _ => None,
        }
    };
    let short = |i: usize| value(i).filter(|_| numbers[i].len() <= 2);
    if let Some(month) = month {
        if !marks.chars().all(|c| matches!(c, ' ' | ',' | '-' | '/' | '.')) {
            return None;
        }
        return Some(Written::Known(match (numbers.len(), month_at) {
            // `Mar 2006`, `2006-Mar`, `Mar-06`; but `Mar 06` may be a day.
            (1, _) if numbers[0].len() == 4 || marks == "-" => [year(0)?, month, 1],
            (2, 1) if numbers[0].len() == 4 => [year(0)?, month, short(1)?],
            (2, 0 | 1) => [year(1)?, month, short(0)?],
            _ => return None,
        }));
    }
    let mark = marks.chars().next();
    let same = marks.chars().all(|c| Some(c) == mark) && marks.len() + 1 == numbers.len();
    match (numbers.len(), mark) {
        (1, None) if numbers[0].len() == 8 => {
            let n: u32 = numbers[0].parse().ok()?;
            let year = n / 10_000;
            (1000..3000).contains(&year).then_some(Written::Known([year, n / 100 % 100, n % 100]))
        }
        (2, Some('-' | '/')) if same && numbers[0].len() == 4 => {
            Some(Written::Known([year(0)?, short(1)?, 1]))
        }
        (2, Some('-' | '/')) if same && numbers[1].len() == 4 => {
            Some(Written::Known([year(1)?, short(0)?, 1]))
        }
        (3, Some('-' | '/' | '.')) if same && numbers[0].len() == 4 => {
            Some(Written::Known([year(0)?, short(1)?, short(2)?]))
        }
        (3, Some('.')) if same && numbers.iter().all(|n| n.len() == 2) => {
            Some(Written::Dotted([value(0)?, value(1)?, value(2)?]))
        }
        (3, Some('.')) if same => Some(Written::Known([year(2)?, short(1)?, short(0)?])),
        (3, Some('-' | '/')) if same => Some(Written::Unclear([short(0)?, short(1)?, year(2)?])),
        _ => None,
    }
}

fn date(written: Option<Written>, hour: Option<f64>, day_first: bool, times: bool) -> Option<Date> {
    let (year, month, day) = match written {
        None => return Some(Date { date: None, hour }),
        Some(Written::Known([y, m, d])) => (y, m, d),
        Some(Written::Unclear([a, b, y])) if day_first => (y, b, a),
        Some(Written::Unclear([a, b, y])) => (y, a, b),
        Some(Written::Dotted([h, m, s])) if times && hour.is_none() => {
            let hour = (h < 24 && m < 60 && s < 61)
                .then(|| f64::from(h) + f64::from(m) / 60.0 + f64::from(s) / 3600.0)?;
            return Some(Date { date: None, hour: Some(hour) });
        }
        Some(Written::Dotted([d, m, y])) => (if y < 69 { 2000 + y } else { 1900 + y }, m, d),
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

/// Hours of a time like `14:05:30.25+01:00`, `2:05 PM`, `18.00.00`, `140530`.
fn clock(text: &str) -> Option<f64> {
    let mut text = text.trim();
    for zone in ["Z", "UTC", "GMT"] {
        text = text.strip_suffix(zone).unwrap_or(text).trim_end();
    }
    let zone = text.find(['+', '-']).unwrap_or(text.len());
    let zoned = text[zone..].bytes().skip(1).all(|b| b.is_ascii_digit() || b == b':');
    let text = if zoned { text[..zone].trim_end() } else { return None };
    let low = text.to_ascii_lowercase();
    let half = ["am", "pm", "a.m.", "p.m."].into_iter().find(|h| low.ends_with(h));
    let text = half.map_or(text, |h| text[..text.len() - h.len()].trim_end());
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':'));
    if !plain {
        return None;
    }
    let dotted = text.replace('.', ":");
    let text = if !text.contains(':') && text.matches('.').count() == 2 { dotted.as_str() } else { text };
    let parts: Vec<&str> = match (text.contains(':'), text.len()) {
        (true, _) => text.split(':').collect(),
        (false, 4) => vec![&text[..2], &text[2..]],
        (false, 6) => vec![&text[..2], &text[2..4], &text[4..]],
        (false, 1 | 2) if half.is_some() => vec![text],
        (false, _) => return None,
    };
    let part = |i: usize, below: f64| match parts.get(i) {
        None => Some(0.0),
        Some(p) if i < 2 && p.contains('.') => None,
        Some(p) => p.parse::<f64>().ok().filter(|v| *v < below),
    };
    let (hour, minute, second) = (part(0, 24.0)?, part(1, 60.0)?, part(2, 61.0)?);
    let hour = match half.map(|h| h.starts_with('p')) {
        None => hour,
        Some(_) if !(1.0..=12.0).contains(&hour) => return None,
        Some(afternoon) => hour % 12.0 + if afternoon { 12.0 } else { 0.0 },
    };
    (parts.len() <= 3).then_some(hour + minute / 60.0 + second / 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, day_first: bool) -> Option<[f64; 5]> {
        let (d, t) = parse(text)?;
        let date = date(d, t, day_first, false)?;
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
        for bad in [
            "",
            "2023-02-29",
            "2024-13-01",
            "hello",
            "24:00",
            "1/2/3",
            "é-1-1",
            "12:60",
            "13:05 PM",
            "0:30 AM",
            "1/2/2024/3",
            "20241301",
            "31-Foo-2024",
            "Mar",
            "Sep 20",
            "2024.5",
            "2024-01/05",
            "1:2:3:4",
            "2024-01-05 x",
        ] {
            assert_eq!(read(bad, false), None, "{bad}");
        }
    }

    #[test]
    fn dates_as_people_write_them() {
        for (text, want) in [
            ("1949-01", [1949., 1., 1., 5., 0.]),
            ("1/2024", [2024., 1., 1., 0., 0.]),
            ("20240105", [2024., 1., 5., 4., 0.]),
            ("8/15/14", [2014., 8., 15., 4., 0.]),
            ("03/20/60", [2060., 3., 20., 5., 0.]),
            ("03/20/69", [1969., 3., 20., 3., 0.]),
            ("20-Mar-06", [2006., 3., 20., 0., 0.]),
            ("Mar-06", [2006., 3., 1., 2., 0.]),
            ("Sep 20, 2012", [2012., 9., 20., 3., 0.]),
            ("20 September 2012", [2012., 9., 20., 3., 0.]),
            ("September 20th, 2012", [2012., 9., 20., 3., 0.]),
            ("2012-Sep-20", [2012., 9., 20., 3., 0.]),
            ("Thu, 20 Sep 2012 18:30:00 GMT", [2012., 9., 20., 3., 18.5]),
            ("31.12.99", [1999., 12., 31., 4., 0.]),
            ("2024-01-05 02:30 PM", [2024., 1., 5., 4., 14.5]),
            ("1/5/2024 12:15 AM", [2024., 1., 5., 4., 0.25]),
            ("1/5/2024 12:15:00 pm", [2024., 1., 5., 4., 12.25]),
            ("1/5/2024 2pm", [2024., 1., 5., 4., 14.]),
            ("2004-03-10 18.00.00", [2004., 3., 10., 2., 18.]),
            ("2024-01-05T14:05:30.5+0100", [2024., 1., 5., 4., 14. + 5. / 60. + 30.5 / 3600.]),
            ("20240105T1430", [2024., 1., 5., 4., 14.5]),
            ("20240105143000", [2024., 1., 5., 4., 14.5]),
            ("Mon Feb  5 10:30:00 2024", [2024., 2., 5., 0., 10.5]),
            ("Mon Feb 05 10:30:00 +0000 2024", [2024., 2., 5., 0., 10.5]),
            ("05/Feb/2024:10:30:00 +0100", [2024., 2., 5., 0., 10.5]),
        ] {
            assert_eq!(read(text, false), Some(want), "{text}");
        }
        assert_eq!(read("3:45 p.m.", false).map(|d| d[4]), Some(15.75));
        assert!(are_dates(&["1949-01".into(), "1949-02".into()]));
        assert!(!are_dates(&["1949".into(), "red".into()]) && !are_dates(&[]));
    }

    #[test]
    fn times_with_dots_are_told_from_dates_by_their_column() {
        let column = |texts: &[&str]| {
            let vocabulary = Arc::new(texts.iter().map(ToString::to_string).collect());
            let mut data = Data::Text { codes: (0..texts.len() as u32).collect(), vocabulary };
            let mut faults = Faults::new();
            convert(&mut data, Order::default(), &Places::default(), (0, "t"), &mut faults);
            assert!(faults.is_empty());
            let Data::Dates(dates) = data else { panic!() };
            dates.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(column(&["18.00.00", "18.03.04"]), ["18:00", "18:03"]);
        assert_eq!(column(&["18.03.04", "19.03.04"]), ["2004-03-18", "2004-03-19"]);
    }
}
