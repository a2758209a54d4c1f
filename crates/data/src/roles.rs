//! Which column is for what.

use crate::fault::{Fault, Faults, codes};
use crate::input::similar;
use crate::raw::{Head, Want};
use crate::spec::{ColumnName, Columns, Handle, Kind, Missing, Role, RoleSpec, Scaling, Unknown};

/// What is done with one column.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    pub(crate) scaling: Vec<Scaling>,
    pub(crate) missing: Option<Missing>,
    pub(crate) indicator: bool,
    pub(crate) unknown: Unknown,
    pub(crate) own_port: bool,
    /// Named by a role, and not by `rest` or by default.
    pub(crate) explicit: bool,
    pub(crate) handle: Option<Handle>,
    /// Of dates: found out when they are read.
    pub(crate) day_first: bool,
}

impl Use {
    fn plain(name: &str, role: Role) -> Self {
        Self {
            name: name.to_string(),
            role,
            kind: Kind::Auto,
            scaling: Vec::new(),
            missing: None,
            indicator: false,
            unknown: Unknown::Fault,
            own_port: false,
            explicit: false,
            handle: None,
            day_first: false,
        }
    }

    fn of(name: &str, spec: &RoleSpec, explicit: bool, handle: Option<Handle>) -> Self {
        Self {
            name: name.to_string(),
            role: spec.role,
            kind: spec.kind,
            scaling: spec.scaling.clone(),
            missing: spec.missing.clone(),
            indicator: spec.indicator,
            unknown: spec.unknown,
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
            (_, Kind::Category | Kind::OneHot) => Want::Text,
            (_, Kind::Date) => Want::Date,
            (_, Kind::Auto) if number && self.explicit => Want::Number,
            (Role::Target, Kind::Auto) => Want::Class,
            (_, Kind::Auto) => Want::Auto,
        }
    }
}

/// Decides the use of every column.
pub(crate) fn resolve(heads: &[Head], source: &str, roles: &[RoleSpec], faults: &mut Faults) -> Vec<Use> {
    let mut plan = Plan { heads: heads.to_vec(), source, uses: vec![None; heads.len()] };
    for spec in roles {
        plan.named(spec, faults);
    }
    let rests: Vec<&RoleSpec> = roles.iter().filter(|r| r.columns == Columns::Rest).collect();
    if let [_, second, ..] = rests.as_slice() {
        let fault = Fault::new(codes::ROLES, "`rest` is given twice").at(second.handle);
        faults.push(fault.help("all columns no line names can go to one role only"));
    }
    if !roles.iter().any(|r| r.role == Role::Target) {
        plan.default_targets();
    }
    plan.rest(rests.first().copied(), roles.iter().any(|r| r.role == Role::Input));
    let uses: Vec<Use> = plan.uses.into_iter().flatten().collect();
    if faults.is_empty() {
        check(&uses, source, faults);
    }
    uses
}

struct Plan<'a> {
    heads: Vec<Head>,
    source: &'a str,
    uses: Vec<Option<Use>>,
}

impl Plan<'_> {
    fn named(&mut self, spec: &RoleSpec, faults: &mut Faults) {
        let Columns::Names(names) = &spec.columns else { return };
        for name in names {
            let Some(i) = self.find(name, spec.role) else {
                faults.push(self.no_column(name));
                continue;
            };
            if let Some(old) = &self.uses[i] {
                faults.push(twice(old, spec.role, name));
                continue;
            }
            self.uses[i] = Some(Use::of(&name.name, spec, true, name.handle));
        }
    }

    /// The column of this name, or the next one without a real name that the
    /// source knows to have this role, which then gets the name.
    fn find(&mut self, name: &ColumnName, role: Role) -> Option<usize> {
        if let Some(i) = self.heads.iter().position(|h| h.name == name.name) {
            return Some(i);
        }
        let free = |(i, h): (usize, &Head)| h.unnamed && h.role == Some(role) && self.uses[i].is_none();
        let i = self.heads.iter().enumerate().position(free)?;
        self.heads[i] = Head { name: name.name.clone(), role: Some(role), unnamed: false };
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

    /// What the source knows to be targets; else the last column that is not
    /// dropped, unless a line names it.
    fn default_targets(&mut self) {
        let set = |uses: &mut Vec<Option<Use>>, i: usize, head: &Head| {
            if uses[i].is_none() {
                uses[i] = Some(Use::plain(&head.name, Role::Target));
            }
        };
        if self.heads.iter().any(|h| h.role.is_some()) {
            for (i, head) in self.heads.iter().enumerate() {
                if head.role == Some(Role::Target) {
                    set(&mut self.uses, i, head);
                }
            }
            return;
        }
        let dropped = |u: &Option<Use>| u.as_ref().is_some_and(|u| u.role == Role::Drop);
        let mut kept = (0..self.heads.len()).filter(|&i| !dropped(&self.uses[i]));
        let last = kept.next_back();
        let Some(last) = last.filter(|_| kept.next().is_some()) else { return };
        set(&mut self.uses, last, &self.heads[last]);
    }

    fn rest(&mut self, rest: Option<&RoleSpec>, has_inputs: bool) {
        for (head, slot) in self.heads.iter().zip(&mut self.uses) {
            if slot.is_some() {
                continue;
            }
            let suits = |role| head.role.is_none_or(|known| known == role);
            *slot = Some(match rest {
                Some(spec) if suits(spec.role) => Use::of(&head.name, spec, false, None),
                None if !has_inputs && suits(Role::Input) => Use::plain(&head.name, Role::Input),
                _ => Use::plain(&head.name, Role::Drop),
            });
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
