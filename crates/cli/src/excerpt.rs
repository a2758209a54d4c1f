//! The part of a text that a picture shows: harmless to a terminal, and of bearable width.

use nnc_syntax::Span;

/// A place of more lines than this is shown by its first line.
const LINES: usize = 6;
/// Lines are cut after so many bytes ...
const WIDE: usize = 240;
/// ... or so many after the last place in them.
const AFTER: usize = 40;
/// A place further along its line is shown here; nobody counts so many columns, and the drawing cannot.
const FAR: usize = 10_000;

/// A text to draw, and the places in it.
#[derive(Debug)]
pub struct Excerpt {
    /// The text with long lines cut; the numbers of lines and columns stay as they are.
    pub text: String,
    /// Where each of the spans begins, and how many bytes it has.
    pub places: Vec<(usize, usize)>,
}

impl Excerpt {
    /// Prepares a text for drawing.
    pub fn new(text: &str, spans: &[Span]) -> Self {
        let clipped: Vec<(usize, usize)> = spans.iter().map(|span| clip(*span, text)).collect();
        let mut out = Self { text: String::new(), places: clipped.clone() };
        let mut start = 0;
        for line in harmless(text).split_inclusive('\n') {
            out.line(line, start, &clipped);
            start += line.len();
        }
        out
    }

    /// Adds a line that began at `start`, and moves the places behind it.
    fn line(&mut self, line: &str, start: usize, clipped: &[(usize, usize)]) {
        let here = |at: &usize| (start..start + line.len()).contains(at);
        let last = clipped.iter().flat_map(|(at, len)| [*at, at + len]).filter(here).max();
        let keep = last.map_or(0, |at| at - start + AFTER).max(WIDE);
        let end = line.trim_end_matches('\n').len();
        if end <= keep + AFTER {
            self.text.push_str(line);
            return;
        }
        let kept = (0..=keep).rev().find(|i| line.is_char_boundary(*i)).unwrap_or(0);
        let more = " …";
        self.text.push_str(&line[..kept]);
        self.text.push_str(more);
        self.text.push_str(&line[end..]);
        let gone = end - kept - more.len();
        for ((at, len), (was, had)) in self.places.iter_mut().zip(clipped) {
            if *was >= start + end {
                *at -= gone;
            } else if was + had >= start + end {
                *len -= gone;
            }
        }
    }
}

/// A place inside its text and on character boundaries; one of many lines is cut to its first.
fn clip(span: Span, text: &str) -> (usize, usize) {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start as usize);
    let end = floor(span.end as usize).max(start);
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let start = floor(start.min(begin + FAR));
    let stop = text[start..end].find('\n').map_or(end, |at| start + at);
    let end = if stop - begin > FAR { floor(begin + FAR).max(start) } else { end };
    let inside = &text[start..end];
    if inside.bytes().filter(|b| *b == b'\n').count() < LINES {
        return (start, end - start);
    }
    (start, inside.find('\n').unwrap_or(inside.len()))
}

/// A text of the same length in bytes whose characters cannot command a terminal.
fn harmless(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if rest.peek() == Some(&'\n') => out.push(c),
            c if c.is_control() && c.len_utf8() == 1 => out.push('?'),
            c if c.is_control() => out.push('\u{a4}'),
            c => out.push(c),
        }
    }
    out
}

/// A text for a person, without characters that command a terminal.
pub fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_syntax::SourceId;

    fn span(start: usize, end: usize) -> Span {
        Span::new(SourceId(0), start, end)
    }

    #[test]
    fn a_place_of_many_lines_is_cut() {
        let text = "data {\n 1\n 2\n 3\n 4\n 5\n 6\n}\n";
        assert_eq!(clip(span(0, text.len()), text), (0, 6));
        assert_eq!(clip(span(0, 9), text), (0, 9));
    }

    #[test]
    fn long_lines_lose_their_ends_and_places_stay() {
        let long = "ä".repeat(1000);
        let text = format!("{long}\nsecond {long}\nthird");
        let third = text.find("third").unwrap();
        let second = text.find("second").unwrap();
        let spans = [span(third, third + 5), span(second, second + 6), span(0, 2), span(second, third + 5)];
        let excerpt = Excerpt::new(&text, &spans);
        assert!(excerpt.text.len() < 600 && excerpt.text.lines().count() == 3);
        let shown = |i: usize| {
            let (at, len) = excerpt.places[i];
            &excerpt.text[at..at + len]
        };
        assert_eq!((shown(0), shown(1), shown(2)), ("third", "second", "ä"));
        assert!(shown(3).starts_with("second ä") && shown(3).ends_with("…\nthird"));
    }

    #[test]
    fn a_place_far_to_the_right_is_kept() {
        let text = format!("{}here{}", "-".repeat(5000), "+".repeat(5000));
        let excerpt = Excerpt::new(&text, &[span(5000, 5004)]);
        let (at, len) = excerpt.places[0];
        assert_eq!(&excerpt.text[at..at + len], "here");
        assert!(excerpt.text.len() < 5100);
    }
}
