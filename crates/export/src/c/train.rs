//! Training in C: a state that can change, a step, and the network with that state.

use super::emit::{Given, Place, emit};
use super::{Lesson, Options, Parts, brackets, floats, size_of};
use crate::names::{Names, comment};
use crate::package::{Package, Weights};
use nnc_graph::{DType, NodeId, OutputKind, Role};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What was written.
pub(super) struct Taught {
    pub(super) header: String,
    pub(super) source: String,
    pub(super) helpers: BTreeSet<&'static str>,
}

/// What outlives a step.
const KEPT: [Role; 3] = [Role::Weight, Role::State, Role::Slot];

/// A member of the state.
struct Member<'a> {
    role: Role,
    name: String,
    own: String,
    values: &'a Weights,
}

/// Writes the state, the step, and the network with the weights of a state.
pub(super) fn teach(
    package: &Package,
    lesson: &Lesson,
    prefix: &str,
    parts: &Parts,
    options: &Options,
) -> Result<Taught, String> {
    if options.int8 {
        return Err("weights of one byte cannot be trained: leave out --int8 or --train".into());
    }
    let float = package.graph.float;
    let real = if float == DType::F64 { "double" } else { "float" };
    let capital = prefix.to_ascii_uppercase();
    let mut names = Names::default();
    let mut members: Vec<Member<'_>> = Vec::new();
    for role in KEPT {
        for graph in [&lesson.step, &package.graph] {
            for (name, id) in graph.parameters(role) {
                if members.iter().any(|m| m.role == role && m.name == *name) {
                    continue;
                }
                let values = lesson.state.get(&*name);
                let values = values.ok_or_else(|| format!("the training has no {} `{name}`", role.name()))?;
                if Some(values.values.len()) != graph.ty(id).count_at(1) {
                    return Err(format!("`{name}` is {:?}, not {}", values.dims, graph.ty(id)));
                }
                members.push(Member { role, name: name.to_string(), own: names.free(&name), values });
            }
        }
    }
    let mut given = Given::new();
    for m in &members {
        given.insert((m.role, m.name.clone()), Place::given(format!("state->{}", m.own)));
    }
    let of_state = given.clone();

    // The step.
    let mut taken = Names::default();
    for name in parts.inputs.iter().chain(&parts.outputs) {
        taken.free(name);
    }
    for name in ["work", "seed", "step", "state", "objective", "real", "time"] {
        taken.free(name);
    }
    let mut arrays: Vec<(String, String, String)> = Vec::new();
    for (input, own) in package.inputs.iter().zip(&parts.inputs) {
        arrays.push((own.clone(), brackets(&input.shape), "numbers as the network sees them".into()));
        given.insert((Role::Input, input.name.clone()), Place::given(own.clone()));
    }
    for target in &lesson.targets {
        let own = taken.free(&target.name);
        arrays.push((own.clone(), brackets(&target.shape), target.what.clone()));
        given.insert((Role::Target, target.name.clone()), Place::given(own));
    }
    for (name, _) in lesson.step.parameters(Role::SampleWeight) {
        let own = taken.free(&name);
        arrays.push((own.clone(), String::new(), "how much each sample counts".into()));
        given.insert((Role::SampleWeight, name.to_string()), Place::given(own));
    }
    for role in [Role::Input, Role::Target] {
        if let Some((name, _)) = lesson
            .step
            .parameters(role)
            .into_iter()
            .find(|(n, _)| !given.contains_key(&(role, n.to_string())))
        {
            return Err(format!(
                "a step of this training needs the {} `{name}`, which only nnc prepares",
                role.name()
            ));
        }
    }
    for (name, _) in lesson.step.parameters(Role::Step) {
        given.insert((Role::Step, name.to_string()), Place::given("time"));
    }
    let objective = lesson.step.outputs_of(OutputKind::Objective).next();
    let objective = objective.ok_or("this training has no objective")?;
    let mut updates: Vec<(NodeId, String)> = Vec::new();
    for output in lesson.step.outputs_of(OutputKind::Update) {
        let member = members.iter().find(|m| m.name == *output.name);
        let member = member.ok_or_else(|| format!("nothing is called `{}`", output.name))?;
        updates.push((output.node, format!("state->{}", member.own)));
    }
    if updates.is_empty() {
        return Err("a step of this training changes nothing by itself: its solver is a part of nnc".into());
    }
    let step = emit(&lesson.step, lesson.batch, &given, &[(objective.node, "objective".into())], &updates)?;

    // The network with the weights of a state.
    let mut given = of_state;
    for (input, own) in package.inputs.iter().zip(&parts.inputs) {
        given.insert((Role::Input, input.name.clone()), Place::given(own.clone()));
    }
    let results: Vec<(NodeId, String)> = package
        .answers
        .iter()
        .zip(&parts.outputs)
        .filter_map(|(a, own)| Some((package.graph.output(OutputKind::Prediction, &a.name)?, own.clone())))
        .collect();
    let run = emit(&package.graph, 1, &given, &results, &[])?;

    let draws = |helpers: &BTreeSet<&str>| helpers.contains("uniform") || helpers.contains("normal");
    let work = step.work.max(run.work).max(1);
    let bytes: usize = members.iter().map(|m| m.values.values.len()).sum::<usize>() * size_of(float);
    let mut header = format!(
        "/* Training goes on with a state: weights and the optimizer's memory, {bytes} bytes. */\ntypedef struct {{\n"
    );
    for m in &members {
        let _ = writeln!(
            header,
            "    {real} {}[{}]; /* {}{} */",
            m.own,
            m.values.values.len().max(1),
            comment(&m.name),
            brackets(&m.values.dims)
        );
    }
    let _ = writeln!(header, "}} {prefix}_state;\n");
    let _ = writeln!(
        header,
        "/* Samples of a step, and numbers of its working memory ({} bytes). */",
        work * size_of(float)
    );
    let _ =
        writeln!(header, "#define {capital}_BATCH {}\n#define {capital}_STEP_WORK {work}\n", lesson.batch);
    let _ = writeln!(
        header,
        "/* Makes a state what it was when this file was written. */\nvoid {prefix}_begin({prefix}_state *state);\n"
    );
    let _ = writeln!(
        header,
        "/* One step, of {capital}_BATCH samples; steps count from 1. It gives what is made small, the mean over the samples:"
    );
    for (own, shape, what) in &arrays {
        let _ = writeln!(header, "   {own}[{capital}_BATCH]{shape}: {}", comment(what));
    }
    let list: String = arrays.iter().map(|(own, _, _)| format!("const {real} *{own}, ")).collect();
    let step_signature =
        format!("{real} {prefix}_step({prefix}_state *state, {list}uint64_t step, {real} *work)");
    let _ = writeln!(header, "   The arrays do not overlap. */\n{step_signature};\n");
    let inputs: String = parts.inputs.iter().map(|own| format!("const {real} *{own}, ")).collect();
    let outputs: String = parts.outputs.iter().map(|own| format!("{real} *{own}, ")).collect();
    let random = if draws(&run.helpers) { "uint64_t seed, uint64_t step, " } else { "" };
    let run_signature =
        format!("void {prefix}_run_with(const {prefix}_state *state, {inputs}{outputs}{random}{real} *work)");
    let _ = writeln!(
        header,
        "/* As {prefix}_run, with the weights of a state; work has {capital}_STEP_WORK numbers. */\n{run_signature};"
    );

    let mut source = String::from("/* What a state is at first. */\n");
    let _ = writeln!(source, "static const {prefix}_state {prefix}_first = {{");
    for m in &members {
        let values: Vec<String> = floats(&m.values.values, float).collect();
        let _ = writeln!(source, "    {{");
        for line in values.chunks(8) {
            let _ = writeln!(source, "        {},", line.join(", "));
        }
        let _ = writeln!(source, "    }},");
    }
    let _ = writeln!(
        source,
        "}};\n\nvoid {prefix}_begin({prefix}_state *state) {{ *state = {prefix}_first; }}\n"
    );
    let restricted = |s: &str| {
        s.replace(&format!("{real} *"), "real *restrict ")
            .replace(&format!("{prefix}_state *state"), &format!("{prefix}_state *restrict state"))
    };
    let _ = writeln!(source, "{}\n{{", restricted(&step_signature));
    let words = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map(str::to_string).collect()
    };
    let used = words(&step.text);
    let _ = writeln!(source, "    real objective[1];");
    if used.contains("time") {
        let _ = writeln!(source, "    const real time[1] = {{(real)step}};");
    }
    if used.contains("seed") {
        let _ = writeln!(source, "    const uint64_t seed = {}ULL;", lesson.seed);
    }
    for name in
        arrays.iter().map(|(own, _, _)| own.as_str()).chain(["step", "state"]).filter(|n| !used.contains(*n))
    {
        if name != "step" || !used.contains("time") {
            let _ = writeln!(source, "    (void){name};");
        }
    }
    let _ = writeln!(source, "{}    return objective[0];\n}}\n", step.text);
    let _ = writeln!(source, "{}\n{{", restricted(&run_signature));
    let used = words(&run.text);
    for name in parts.inputs.iter().map(String::as_str).chain(["state"]).filter(|n| !used.contains(*n)) {
        let _ = writeln!(source, "    (void){name};");
    }
    let _ = writeln!(source, "{}}}", run.text);
    let mut helpers = step.helpers;
    helpers.extend(run.helpers);
    Ok(Taught { header, source, helpers })
}
