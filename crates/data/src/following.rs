//! What comes after cells that go on regularly: the next dates of a series of months, days or hours, the next numbers of
//! a counter.

/// Dates that are enough to see by what they go on, and numbers, which may be any.
const LEAST: usize = 3;
const LEAST_NUMBERS: usize = 6;

/// A column whose next cells are known.
#[derive(Clone, PartialEq, Debug)]
pub struct Following(Kind);

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    Number { last: i64, step: i64 },
    Date { form: String, last: Moment, step: Step },
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    Seconds(i64),
    /// Months, on the same day of each, or on the last one.
    Months(i64, bool),
}

/// Year, month, day, hour, minute, second.
type Moment = [i64; 6];

/// The forms of dates: `Y` and `y` a year of four and of two digits, `m` `d` `H` `M` `S` two digits, `n` `j` as many as
/// there are, `b` the short name of a month.
const DATES: [&str; 18] = [
    "Y-m-d", "Y/m/d", "Y.m.d", "Ymd", "Y-m", "Y/m", "d.m.Y", "d/m/Y", "m/d/Y", "d-m-Y", "n/j/Y", "j/n/Y",
    "n/j/y", "m/d/y", "j.n.Y", "d-b-Y", "d-b-y", "b j, Y",
];
const TIMES: [&str; 6] = ["", " H:M", " H:M:S", "TH:M", "TH:M:S", "TH:M:SZ"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Following {
    /// What cells go on by, the last of a column in their order; `None` where that is not to be seen: fewer than three
    /// of them (of numbers six), gaps, steps of other lengths, or dates that can be read in two ways.
    pub fn of(cells: &[&str]) -> Option<Self> {
        if cells.len() < LEAST {
            return None;
        }
        if let Some(numbers) = cells.iter().map(|c| whole(c)).collect::<Option<Vec<i64>>>()
            // Eight digits that are a date are that.
            && numbers.len() >= LEAST_NUMBERS
            && let Some(step) = steady(numbers.windows(2).map(|w| w[1] - w[0])).filter(|s| *s != 0)
            && !numbers.iter().all(|n| (19_000_101..=21_001_231).contains(n))
        {
            return Some(Self(Kind::Number { last: *numbers.last()?, step }));
        }
        let mut found = None;
        for form in DATES.iter().flat_map(|d| TIMES.iter().map(move |t| format!("{d}{t}"))) {
            let moments: Option<Vec<Moment>> = cells.iter().map(|cell| read(&form, cell)).collect();
            let Some((step, last)) = moments.and_then(|m| Some((step(&m)?, *m.last()?))) else { continue };
            let next = Self(Kind::Date { form, last, step });
            // Where days and months may be exchanged, nothing is known; of two ways to write the same, the longer is it.
            if found
                .as_ref()
                .is_some_and(|f: &Self| [1, 12, 40].iter().any(|n| f.moment(*n) != next.moment(*n)))
            {
                return None;
            }
            found = found.or(Some(next));
        }
        found
    }

    fn moment(&self, ahead: i64) -> Option<Moment> {
        match &self.0 {
            Kind::Number { .. } => None,
            Kind::Date { last, step, .. } => after(*last, *step, ahead),
        }
    }

    /// The cell `ahead` rows after the last, counted from 1.
    pub fn at(&self, ahead: usize) -> Option<String> {
        let n = i64::try_from(ahead).ok()?;
        match &self.0 {
            Kind::Number { last, step } => Some(last.checked_add(step.checked_mul(n)?)?.to_string()),
            Kind::Date { form, last, step } => Some(written(form, after(*last, *step, n)?)),
        }
    }
}

/// A whole number as it is usually written.
fn whole(cell: &str) -> Option<i64> {
    cell.parse().ok().filter(|n: &i64| n.to_string() == cell)
}

/// The number that all are.
fn steady(mut all: impl Iterator<Item = i64>) -> Option<i64> {
    let first = all.next()?;
    all.all(|x| x == first).then_some(first)
}

/// By what moments go on.
fn step(moments: &[Moment]) -> Option<Step> {
    let pairs = || moments.windows(2);
    let months = steady(pairs().map(|w| 12 * (w[1][0] - w[0][0]) + w[1][1] - w[0][1])).filter(|n| *n > 0);
    let same = |at: usize| moments.iter().all(|m| m[at] == moments[0][at]);
    if let Some(months) = months.filter(|_| (3..6).all(same)) {
        let ends = moments.iter().all(|m| m[2] == days_of(m[0], m[1]));
        if ends || same(2) {
            return Some(Step::Months(months, ends && !(same(2) && moments[0][2] <= 28)));
        }
    }
    steady(pairs().map(|w| seconds(w[1]) - seconds(w[0]))).filter(|s| *s > 0).map(Step::Seconds)
}

fn after(last: Moment, step: Step, n: i64) -> Option<Moment> {
    match step {
        Step::Months(months, ends) => {
            let all = (12 * last[0] + last[1] - 1).checked_add(months.checked_mul(n)?)?;
            let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
            let days = days_of(year, month);
            let day = if ends { days } else { last[2].min(days) };
            Some([year, month, day, last[3], last[4], last[5]]).filter(|m| m[0] <= 9999)
        }
        Step::Seconds(s) => {
            let all = seconds(last).checked_add(s.checked_mul(n)?)?;
            let [year, month, day] = date(all.div_euclid(86_400))?;
            let rest = all.rem_euclid(86_400);
            Some([year, month, day, rest / 3600, rest / 60 % 60, rest % 60])
        }
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds since 1970 (Hinnant's algorithm for the days).
fn seconds([year, month, day, hour, minute, second]: Moment) -> i64 {
    let y = year - i64::from(month <= 2);
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * 86_400 + hour * 3600 + minute * 60 + second
}

/// Year, month and day of a number of days since 1970 (the same algorithm back), up to the year 9999.
fn date(days: i64) -> Option<[i64; 3]> {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some([year, month, day])
}

/// Reads a cell in a form; `None` where it is not exactly so written.
fn read(form: &str, cell: &str) -> Option<Moment> {
    let mut out: Moment = [0, 1, 1, 0, 0, 0];
    let mut rest = cell;
    for code in form.chars() {
        let mut number = |least: usize, most: usize| {
            let n = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            let (digits, after) = rest.split_at(n);
            rest = after;
            (n >= least).then(|| digits.parse::<i64>().ok()).flatten()
        };
        match code {
            'Y' => out[0] = number(4, 4)?,
            'y' => out[0] = number(2, 2).map(|y| if y < 70 { 2000 + y } else { 1900 + y })?,
            'm' => out[1] = number(2, 2)?,
            'n' => out[1] = number(1, 2)?,
            'd' => out[2] = number(2, 2)?,
            'j' => out[2] = number(1, 2)?,
            'H' => out[3] = number(2, 2)?,
            'M' => out[4] = number(2, 2)?,
            'S' => out[5] = number(2, 2)?,
            'b' => {
                let at = MONTHS.iter().position(|name| rest.starts_with(name))?;
                (out[1], rest) = (at as i64 + 1, &rest[3..]);
            }
            other => rest = rest.strip_prefix(other)?,
        }
    }
    let [year, month, day, hour, minute, second] = out;
    let there = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    let there = there && hour < 24 && minute < 60 && second < 60;
    (there && rest.is_empty() && written(form, out) == cell).then_some(out)
}

fn written(form: &str, [year, month, day, hour, minute, second]: Moment) -> String {
    let mut out = String::new();
    for code in form.chars() {
        match code {
            'Y' => out.push_str(&format!("{year:04}")),
            'y' => out.push_str(&format!("{:02}", year % 100)),
            'm' => out.push_str(&format!("{month:02}")),
            'n' => out.push_str(&month.to_string()),
            'd' => out.push_str(&format!("{day:02}")),
            'j' => out.push_str(&day.to_string()),
            'H' => out.push_str(&format!("{hour:02}")),
            'M' => out.push_str(&format!("{minute:02}")),
            'S' => out.push_str(&format!("{second:02}")),
            'b' => out.push_str(MONTHS.get(month as usize - 1).unwrap_or(&"")),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cells: &str, ahead: usize) -> Option<String> {
        let cells: Vec<&str> = cells.split('|').collect();
        Following::of(&cells)?.at(ahead)
    }

    #[test]
    fn dates_go_on_as_they_did() {
        for (cells, ahead, said) in [
            ("1949-10|1949-11|1949-12", 2, "1950-02"),
            ("2024-01-01|2024-02-01|2024-03-01", 1, "2024-04-01"),
            ("2023-12-31|2024-01-31|2024-02-29", 2, "2024-04-30"),
            ("2024-02-27|2024-02-28|2024-02-29", 1, "2024-03-01"),
            ("2023-02-27|2023-02-28|2023-03-01", 365, "2024-02-29"),
            ("2024-01-01|2024-01-08|2024-01-15", 3, "2024-02-05"),
            ("2020-03-31|2020-06-30|2020-09-30", 1, "2020-12-31"),
            ("20240129|20240130|20240131", 1, "20240201"),
            ("31.12.2023|01.01.2024|02.01.2024", 1, "03.01.2024"),
            ("8/13/14|8/14/14|8/15/14", 1, "8/16/14"),
            ("30-Mar-06|31-Mar-06|01-Apr-06", 1, "02-Apr-06"),
            ("Dec 30, 2023|Dec 31, 2023|Jan 1, 2024", 1, "Jan 2, 2024"),
            ("2024-01-31 22:00|2024-01-31 23:00|2024-02-01 00:00", 25, "2024-02-02 01:00"),
            ("2024-01-31T23:59:30Z|2024-01-31T23:59:45Z|2024-02-01T00:00:00Z", 1, "2024-02-01T00:00:15Z"),
            ("2016|2017|2018|2019|2020|2021", 3, "2024"),
            ("16|14|12|10|8|6", 4, "-2"),
        ] {
            assert_eq!(next(cells, ahead).as_deref(), Some(said), "{cells}");
        }
    }

    #[test]
    fn what_is_not_regular_is_not_guessed() {
        for cells in [
            "2024-01-01|2024-01-02",
            "2024-01-04|2024-01-05|2024-01-08",
            "2024-01-01|2024-01-03|",
            "north|north|north",
            "5|5|5|5|5|5",
            "10|20|30",
            "0.1|0.2|0.3|0.4|0.5|0.6",
            "9999-10|9999-11|9999-12",
            "2024-13-01|2024-14-01|2024-15-01",
            "01/01/2024|01/02/2024|01/03/2024",
            "",
        ] {
            assert_eq!(next(cells, 1), None, "{cells}");
        }
        assert!(next("1|2|3|4|5|6", usize::MAX).is_none());
        assert!(next("2024-01-01|2024-01-02|2024-01-03", usize::MAX).is_none());
    }
}
