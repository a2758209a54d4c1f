//! Statements by indentation, one logical line each.

use super::expression::{Reader, augment, equals, gap, name, whole};
use super::lines::{Logical, outside};
use super::{Class, DEPTH, Def, Expr, ExprKind, Stmt, StmtKind};
use std::rc::Rc;

/// The statements of one indentation.
pub(super) fn block(lines: &[Logical], at: &mut usize, indent: usize, depth: usize) -> Vec<Stmt> {
    let mut out: Vec<Stmt> = Vec::new();
    while let Some(now) = lines.get(*at).filter(|l| l.indent >= indent) {
        *at += 1;
        let inner = lines.get(*at).filter(|l| l.indent > now.indent).map(|l| l.indent);
        let head = now.text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let heads = [
            "for", "if", "elif", "else", "while", "with", "try", "except", "finally", "def", "class", "async",
        ];
        if !heads.contains(&head) {
            out.push(Stmt { line: now.line, text: now.text.clone(), kind: simple(now) });
            continue;
        }
        let (said, behind) = head_and_rest(&now.text);
        let body = match inner {
            Some(inner) if depth < DEPTH => block(lines, at, inner, depth + 1),
            Some(_) => {
                while lines.get(*at).is_some_and(|l| l.indent > now.indent) {
                    *at += 1;
                }
                Vec::new()
            }
            None => {
                let one = Logical { line: now.line, indent: 0, text: behind.to_string() };
                if behind.is_empty() {
                    Vec::new()
                } else {
                    vec![Stmt { line: now.line, text: behind.into(), kind: simple(&one) }]
                }
            }
        };
        if head == "else" || head == "elif" {
            let chained = match head {
                "elif" => {
                    let condition = whole(said.trim_start_matches("elif"), now.line);
                    vec![Stmt {
                        line: now.line,
                        text: said.into(),
                        kind: StmtKind::If(condition, body, Vec::new()),
                    }]
                }
                _ => body,
            };
            // `elif` after `elif` is a branch more of the first: where no condition is known none of them is followed.
            if let Some(StmtKind::If(_, _, otherwise)) = out.last_mut().map(|s| &mut s.kind) {
                match otherwise.first_mut().map(|s| &mut s.kind) {
                    Some(StmtKind::If(_, _, inner)) if head == "else" => inner.extend(chained),
                    _ => otherwise.extend(chained),
                }
            }
            continue;
        }
        out.push(Stmt { line: now.line, text: said.to_string(), kind: compound(head, said, now.line, body) });
    }
    out
}

/// `if a: b` is `if a` and `b`.
fn head_and_rest(text: &str) -> (&str, &str) {
    match outside(text, |c| c == ':') {
        Some(i) => (&text[..i], text[i + 1..].trim()),
        None => (text, ""),
    }
}

fn compound(head: &str, said: &str, line: usize, body: Vec<Stmt>) -> StmtKind {
    let rest = said[head.len()..].trim();
    match head {
        "with" | "try" | "finally" => StmtKind::Block(body),
        "if" => StmtKind::If(whole(rest, line), body, Vec::new()),
        "for" => match rest.split_once(" in ") {
            Some((target, over)) => StmtKind::For(whole(target, line), whole(over, line), body),
            None => StmtKind::Unread,
        },
        "def" => {
            let p = Reader::new(rest, line);
            let Ok((after, name)) = name(rest) else { return StmtKind::Unread };
            let Ok((_, params)) = p.params(after) else { return StmtKind::Unread };
            StmtKind::Def(Rc::new(Def { name, params, body }))
        }
        "class" => {
            let Ok((after, name)) = name(rest) else { return StmtKind::Unread };
            let bases = match whole(&format!("base{after}"), line).kind {
                ExprKind::Call(_, args) => args.into_iter().map(|(_, e)| e).collect(),
                _ => Vec::new(),
            };
            let defs = body.into_iter().filter_map(|s| match s.kind {
                StmtKind::Def(def) => Some(def),
                _ => None,
            });
            StmtKind::Class(Rc::new(Class { name, bases, defs: defs.collect() }))
        }
        _ => StmtKind::Unread,
    }
}

fn simple(now: &Logical) -> StmtKind {
    let text = now.text.as_str();
    let head = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let p = Reader::new(text, now.line);
    match head {
        "import" | "from" | "pass" | "global" | "nonlocal" => return StmtKind::Nothing,
        "return" => {
            let rest = text["return".len()..].trim();
            let nothing = Expr { line: now.line, kind: ExprKind::Name("None".into()) };
            return StmtKind::Return(if rest.is_empty() { nothing } else { whole(rest, now.line) });
        }
        _ => {}
    }
    if text.starts_with('%') || text.starts_with('!') || text.starts_with('@') {
        return StmtKind::Nothing;
    }
    let Ok((mut rest, first)) = p.tuple(text, 0) else { return StmtKind::Unread };
    if let Ok((after, op)) = augment(rest) {
        return match p.tuple(after, 0) {
            Ok((rest, value)) if gap(rest).is_empty() => StmtKind::Augment(first, op, value),
            _ => StmtKind::Unread,
        };
    }
    // An annotation of a type says nothing here.
    if let Some(after) = gap(rest).strip_prefix(':') {
        rest = after.find('=').map_or("", |i| &after[i..]);
    }
    let mut all = vec![first];
    while let Ok((after, ())) = equals(rest) {
        let Ok((after, next)) = p.tuple(after, 0) else { return StmtKind::Unread };
        all.push(next);
        rest = after;
    }
    if !gap(rest).is_empty() {
        return StmtKind::Unread;
    }
    let value = match all.pop() {
        Some(value) => value,
        None => return StmtKind::Unread,
    };
    if !all.is_empty() {
        return StmtKind::Assign(all, value);
    }
    match value.kind {
        ExprKind::Text(_) => StmtKind::Nothing,
        _ => StmtKind::Expr(value),
    }
}
