//! Logical lines: joined where brackets go on, without comments.

/// A line of statements, joined over brackets.
pub(super) struct Logical {
    pub(super) line: usize,
    pub(super) indent: usize,
    pub(super) text: String,
}

/// Lines joined where brackets, texts or a backslash go on, without comments.
pub(super) fn logical(text: &str) -> Vec<Logical> {
    let mut out = Vec::new();
    let mut now = String::new();
    let (mut line, mut first, mut depth) = (1, 1, 0usize);
    let mut chars = text.chars().peekable();
    let mut end = |now: &mut String, first: usize| {
        let indent =
            now.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 8 } else { 1 }).sum();
        if !now.trim().is_empty() {
            out.push(Logical { line: first, indent, text: now.trim().to_string() });
        }
        now.clear();
    };
    while let Some(c) = chars.next() {
        match c {
            '\r' => {}
            '\n' => {
                line += 1;
                if depth == 0 {
                    end(&mut now, first);
                    first = line;
                } else {
                    now.push('\n');
                }
            }
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
                line += 1;
                now.push('\n');
            }
            '#' => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            '"' | '\'' => {
                now.push(c);
                let mut quotes = 1;
                while quotes < 3 && chars.peek() == Some(&c) {
                    chars.next();
                    now.push(c);
                    quotes += 1;
                }
                if quotes == 2 {
                    continue;
                }
                let mut closing = 0;
                while let Some(d) = chars.next() {
                    if d == '\n' {
                        line += 1;
                        if quotes == 1 {
                            // A text that is never closed ends with its line.
                            now.push(c);
                            end(&mut now, first);
                            first = line;
                            depth = 0;
                            break;
                        }
                    }
                    now.push(d);
                    if d == '\\' {
                        if let Some(e) = chars.next() {
                            line += usize::from(e == '\n');
                            now.push(e);
                        }
                        closing = 0;
                        continue;
                    }
                    closing = if d == c { closing + 1 } else { 0 };
                    if closing == quotes {
                        break;
                    }
                }
            }
            '(' | '[' | '{' => {
                depth += 1;
                now.push(c);
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                now.push(c);
            }
            ';' if depth == 0 => {
                let indent: String = now.chars().take_while(|c| c.is_whitespace()).collect();
                end(&mut now, first);
                first = line;
                now = indent;
            }
            _ => now.push(c),
        }
    }
    end(&mut now, first);
    out
}

/// Where a character stands outside of texts and of the brackets that open here.
pub(super) fn outside(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            _ if std::mem::take(&mut escaped) => {}
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if depth == 0 && wanted(c) => return Some(i),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
