//! Which column is for what.

use crate::fault::{Fault, Faults, codes};
use crate::input::similar;
use crate::raw::{Declared, Head, Want};
use crate::spec::{ColumnName, Columns, Handle, Kind, Missing, Role, RoleSpec, Scaling, Unknown};

/// What is done with one column.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// The column, by its place in the source.
    pub(crate) position: usize,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    pub(crate) scaling: Vec<Scaling>,
    pub(crate) missing: Option<Missing>,
    pub(crate) indicator: bool,
    pub(crate) unknown: Unknown,
    pub(crate) order: Vec<String>,
    pub(crate) sequence: bool,
    pub(crate) own_port: bool,
    /// Named by a role, and not by `rest` or by default.
    pub(crate) explicit: bool,
    pub(crate) handle: Option<Handle>,
    /// Of dates: found out when they are read.
    pub(crate) day_first: bool,
}

impl Use {
    fn plain(position: usize, name: &str, role: Role) -> Self {
        Self {
            position,
            name: name.to_string(),
            role,
            kind: Kind::Auto,
            scaling: Vec::new(),
            missing: None,
            indicator: false,
            unknown: Unknown::Fault,
            order: Vec::new(),
            sequence: false,
            own_port: false,
            explicit: false,
            handle: None,
            day_first: false,
        }
    }

    fn of(position: usize, name: &str, spec: &RoleSpec, explicit: bool, handle: Option<Handle>) -> Self {
        Self {
            position,
            name: name.to_string(),
            role: spec.role,
            kind: spec.kind,
            scaling: spec.scaling.clone(),
            missing: spec.missing.clone(),
            indicator: spec.indicator,
            unknown: spec.unknown,
            order: spec.order.clone(),
            sequence: spec.sequence,
            own_port: spec.own_port,
            explicit,
            handle: handle.or(spec.handle),
            day_first: false,
        }
    }

    /// How the column is read. A scaling decides only for columns that were
    /// named: `rest standardize` passes over text.
    pub(crate) fn want(&self) -> Want {
        let number =
            !self.scaling.is_empty() || matches!(self.missing, Some(Missing::Mean | Missing::Median));
        match (self.role, self.kind) {
            (Role::Drop, _) => Want::Skip,
            (Role::Weight, _) | (_, Kind::Number) => Want::Number,
            (_, Kind::Category | Kind::OneHot) => Want::among(&self.order),
            (_, Kind::Tokens(_)) => Want::Text,
            (_, Kind::Date) => Want::Date,
            (_, Kind::Auto) if number && self.explicit => Want::Number,
            (Role::Target, Kind::Auto) => Want::Class,
            (_, Kind::Auto) => Want::Auto,
        }
    }
}

/// Decides the use of every column; each has at least one, and they are in
/// the order of the columns. Where samples are windows of rows, the past of a
/// target may be an input.
pub(crate) fn resolve(
    heads: &[Head],
    source: &str,
    roles: &[RoleSpec],
    windowed: bool,
    keys: &[usize],
    faults: &mut Faults,
) -> Vec<Use> {
    let uses = vec![Vec::new(); heads.len()];
    let mut plan = Plan { heads: heads.to_vec(), source, windowed, keys, uses };
    for spec in roles {
        plan.named(spec, faults);
    }
    let none = |r: &&RoleSpec| r.role == Role::Target && r.columns == Columns::Names(Vec::new());
    let targets = roles.iter().filter(|r| r.role == Role::Target);
    if let (Some(none), true) = (roles.iter().find(none), targets.count() > 1) {
        let fault = Fault::new(codes::ROLES, "`target none` stands beside another `target`").at(none.handle);
        faults.push(fault.help("keep one of the two"));
    }
    let rests: Vec<&RoleSpec> = roles.iter().filter(|r| r.columns == Columns::Rest).collect();
    if let [_, second, ..] = rests.as_slice() {
        let fault = Fault::new(codes::ROLES, "`rest` is given twice").at(second.handle);
        faults.push(fault.help("all columns no line names can go to one role only"));
    }
    // What `rest` takes is taken.
    let all_taken = rests.iter().any(|r| r.role == Role::Input);
    let target = match all_taken || roles.iter().any(|r| r.role == Role::Target) {
        true => plan.known_targets(roles.iter().any(|r| r.role == Role::Target)),
        false => plan.default_targets(),
    };
    plan.rest(rests.first().copied(), roles.iter().any(|r| r.role == Role::Input), &target);
    let uses: Vec<Use> = plan.uses.into_iter().flatten().collect();
    if faults.is_empty() {
        check(&uses, source, faults);
    }
    uses
}

/// What a file declares its columns to hold decides where the program says
/// nothing else.
pub(crate) fn declared(uses: &mut [Use], heads: &[Head]) {
    for used in uses.iter_mut().filter(|u| matches!(u.role, Role::Input | Role::Target)) {
        let Some(head) = heads.get(used.position) else { continue };
        let free = used.kind == Kind::Auto
            && used.scaling.is_empty()
            && !matches!(used.missing, Some(Missing::Mean | Missing::Median));
        match &head.declared {
            Declared::Nothing | Declared::Text => {}
            Declared::Number if free => used.kind = Kind::Number,
            Declared::Date(_) if free => used.kind = Kind::Date,
            Declared::Classes(values) => {
                if free {
                    used.kind = if used.role == Role::Target { Kind::Category } else { Kind::OneHot };
                }
                if used.order.is_empty() && matches!(used.kind, Kind::Category | Kind::OneHot) {
                    used.order.clone_from(values);
                    let more = match &used.missing {
                        Some(Missing::Text(word)) => Some(word.clone()),
                        Some(Missing::Number(x)) => Some(x.to_string()),
                        _ => None,
                    };
                    used.order.extend(more.filter(|m| !values.contains(m)));
                }
            }
            Declared::Number | Declared::Date(_) => {}
        }
    }
}

/// How each column is read; two uses of one column must agree.
pub(crate) fn wants(uses: &[Use], columns: usize, faults: &mut Faults) -> Vec<Want> {
    let mut wants = vec![Want::Skip; columns];
    for used in uses {
        let want = &mut wants[used.position];
        *want = match (*want, used.want()) {
            (Want::Skip | Want::Auto | Want::Class, new) => new,
            (Want::Text, Want::Words) | (Want::Words, Want::Text) => Want::Words,
            (old, Want::Skip | Want::Auto | Want::Class) => old,
            (old, new) => {
                if old != new {
                    let message = format!("`{}` cannot be numbers and categories at once", used.name);
                    faults.push(Fault::new(codes::ROLES, message).at(used.handle));
                }
                new
            }
        };
    }
    wants
}

struct Plan<'a> {
    heads: Vec<Head>,
    source: &'a str,
    windowed: bool,
    /// Columns that tell series apart, and are no target by default.
    keys: &'a [usize],
    uses: Vec<Vec<Use>>,
}

impl Plan<'_> {
    fn named(&mut self, spec: &RoleSpec, faults: &mut Faults) {
        let Columns::Names(names) = &spec.columns else { return };
        for name in names {
            let Some(i) = self.find(name, spec.role) else {
                faults.push(self.no_column(name));
                continue;
            };
            let other = |old: &Use| {
                let past = [old.role, spec.role];
                let past = past == [Role::Input, Role::Target] || past == [Role::Target, Role::Input];
                // How much a row counts may be what is learned, or learned from, too.
                let counts = (old.role == Role::Weight) != (spec.role == Role::Weight)
                    && old.role != Role::Drop
                    && spec.role != Role::Drop;
                !(self.windowed && past || counts)
            };
            if let Some(old) = self.uses[i].iter().find(|u| other(u)) {
                faults.push(twice(old, spec.role, name));
                continue;
            }
            self.uses[i].push(Use::of(i, &name.name, spec, true, name.handle));
            self.uses[i].sort_by_key(|u| u.role == Role::Target);
        }
    }

    /// The column of this name, or the next one without a real name that the
    /// source knows to have this role, which then gets the name.
    fn find(&mut self, name: &ColumnName, role: Role) -> Option<usize> {
        if let Some(i) = self.heads.iter().position(|h| h.name == name.name) {
            return Some(i);
        }
        let free = |(i, h): (usize, &Head)| h.unnamed && h.role == Some(role) && self.uses[i].is_empty();
        let i = self.heads.iter().enumerate().position(free)?;
        self.heads[i] = Head { role: Some(role), ..Head::named(name.name.clone()) };
        Some(i)
    }

    fn no_column(&self, name: &ColumnName) -> Fault {
        let message = format!("{} has no column `{}`", quoted(self.source), name.name);
        let fault = Fault::new(codes::NO_COLUMN, message).at(name.handle);
        let names = || self.heads.iter().map(|h| h.name.as_str());
        if let Some(best) = similar(&name.name, names()).first() {
            return fault.label(format!("did you mean `{best}`?"));
        }
        let mut list: Vec<&str> = names().take(12).collect();
        if self.heads.len() > list.len() {
            list.push("…");
        }
        let unnamed = self.heads.iter().all(|h| h.unnamed && h.role.is_none());
        let has = if unnamed { "the file has no header; its columns are called" } else { "it has" };
        fault.help(format!("{has} {}", list.join(" ")))
    }

    /// What the source itself knows to be targets, unless lines say which.
    fn known_targets(&self, said: bool) -> Vec<usize> {
        let known = |i: &usize| self.heads[*i].role == Some(Role::Target) && self.uses[*i].is_empty();
        (0..self.heads.len()).filter(|_| !said).filter(known).collect()
    }

    /// What the source knows to be targets; else the last column, unless a
    /// line names it. Of windows it may be an input too.
    fn default_targets(&self) -> Vec<usize> {
        if self.heads.iter().any(|h| h.role.is_some()) {
            return self.known_targets(false);
        }
        let key = |i: usize| self.keys.contains(&i);
        let aside = |i: usize| self.heads[i].aside && self.uses[i].is_empty();
        let mut columns = (0..self.heads.len()).filter(|&i| !key(i) && !aside(i));
        let last = columns.next_back();
        let alone = columns.next().is_none();
        let free = |i: &usize| self.uses[*i].is_empty();
        let past = |i: &usize| self.windowed && self.uses[*i].iter().all(|u| u.role == Role::Input);
        last.filter(|i| free(i) && !alone || past(i)).into_iter().collect()
    }

    /// Columns no line names: they go where `rest` says; else they are inputs
    /// where nothing else is, and else they are not read. Of windows the past
    /// of the target is an input like any other, unless lines say what is.
    fn rest(&mut self, rest: Option<&RoleSpec>, has_inputs: bool, targets: &[usize]) {
        for (i, (head, slot)) in self.heads.iter().zip(&mut self.uses).enumerate() {
            let target = targets.contains(&i);
            let only_target = slot.iter().all(|u| u.role == Role::Target) && !slot.is_empty();
            if self.windowed && only_target && rest.is_none() && !has_inputs {
                slot.insert(0, Use::plain(i, &head.name, Role::Input));
            }
            if slot.is_empty() && head.aside {
                slot.push(Use::plain(i, &head.name, Role::Drop));
            }
            if slot.is_empty() && (self.windowed || !target) {
                let suits = |role| head.role.is_none_or(|known| known == role);
                slot.push(match rest {
                    Some(spec) if suits(spec.role) => Use::of(i, &head.name, spec, false, None),
                    None if !has_inputs && suits(Role::Input) => Use::plain(i, &head.name, Role::Input),
                    _ => Use::plain(i, &head.name, Role::Drop),
                });
            }
            if target {
                slot.retain(|u| u.role != Role::Drop);
                slot.push(Use::plain(i, &head.name, Role::Target));
            }
        }
    }
}

/// A path in backticks; other sources as they are.
fn quoted(source: &str) -> String {
    if source.contains(' ') { source.to_string() } else { format!("`{source}`") }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Input => "an input",
        Role::Target => "a target",
        Role::Weight => "the weight",
        Role::Drop => "dropped",
    }
}

fn twice(old: &Use, role: Role, name: &ColumnName) -> Fault {
    let message = if old.role == role {
        format!("`{}` is named twice", name.name)
    } else {
        format!("`{}` is {} and also {}", name.name, word(old.role), word(role))
    };
    let fault = Fault::new(codes::ROLES, message).at(name.handle);
    let both = |a, b| (old.role, role) == (a, b) || (old.role, role) == (b, a);
    if both(Role::Input, Role::Target) {
        return fault.help("a network that sees its target learns to copy it; keep one of the two");
    }
    fault.help("keep one of the two")
}

fn check(uses: &[Use], source: &str, faults: &mut Faults) {
    if !uses.iter().any(|u| u.role == Role::Input) {
        let message = format!("{} has no column left to be an input", quoted(source));
        faults.push(Fault::new(codes::ROLES, message).help("name one: `input NAME`, or `input rest`"));
    }
    let mut weights = uses.iter().filter(|u| u.role == Role::Weight);
    if let Some(second) = weights.nth(1) {
        let message = format!("`{}` is a second weight column; there can be one", second.name);
        faults.push(Fault::new(codes::ROLES, message).at(second.handle));
    }
    for u in uses {
        if matches!(u.kind, Kind::Category | Kind::OneHot) && !u.scaling.is_empty() {
            let message = format!("`{}` is a category, and categories are not scaled", u.name);
            faults.push(Fault::new(codes::ENCODING, message).at(u.handle));
        }
        if matches!(u.kind, Kind::Tokens(_)) {
            let vain = [
                ("scaled", !u.scaling.is_empty()),
                ("put in an order", !u.order.is_empty()),
                ("given an `indicator`", u.indicator),
            ];
            for (what, _) in vain.into_iter().filter(|(_, said)| *said) {
                let message =
                    format!("`{}` is a text that is cut into classes, and texts are not {what}", u.name);
                faults.push(Fault::new(codes::ENCODING, message).at(u.handle));
            }
        }
        for scaling in &u.scaling {
            if let Scaling::Scale(by) = scaling
                && (!by.is_finite() || *by == 0.0)
            {
                let message = format!("`scale={by}` cannot be divided by");
                faults.push(Fault::new(codes::ENCODING, message).at(u.handle));
            }
        }
        if let Some(Missing::Number(x)) = u.missing
            && !x.is_finite()
        {
            let message = format!("`missing={x}` is not a finite number");
            faults.push(Fault::new(codes::ENCODING, message).at(u.handle));
        }
    }
}
