//! What of the network learns, how fast, and in which stages: `freeze`, `rate`, `then`.

use crate::elaborate::elab::{Elab, Res, Stop};
use crate::elaborate::frame::Frame;
use nnc_syntax::ast::{Arg, Block, ExprKind, Name, Stmt, StmtKind};
use nnc_syntax::{Code, Span};

/// What a further stage can say; the rest is said once, of the whole training.
const OF_A_STAGE: [&str; 8] = ["freeze", "rate", "optimizer", "schedule", "clip", "epochs", "steps", "batch"];

impl Elab<'_> {
    /// `freeze base head.dense1`
    pub(super) fn freeze(&mut self, args: &[Arg], span: Span) -> Res<()> {
        if args.is_empty() {
            return self.fail(Code::N0204, "`freeze` names layers: freeze base", span, "");
        }
        for arg in args {
            let name = self.layer_name("freeze", arg)?;
            if let Some(first) =
                self.results.top.frozen.iter().find(|n| n.text == name.text && n.span != name.span)
            {
                let d = self
                    .error(Code::N0219, format!("`{}` is frozen already", name.text), name.span, "once more")
                    .label(first.span, "the first time");
                return Err(Stop::Error(Box::new(d.help("name every layer once"))));
            }
            if !self.results.top.frozen.iter().any(|n| n.span == name.span) {
                self.results.top.frozen.push(name);
            }
        }
        Ok(())
    }

    /// `rate base 0.1`
    pub(super) fn rate(&mut self, frame: &mut Frame, args: &[Arg], span: Span) -> Res<()> {
        let [layers @ .., factor] = args else {
            return self.fail(Code::N0204, "`rate` names layers, and a factor: rate base 0.1", span, "");
        };
        if layers.is_empty() {
            let d = self
                .error(Code::N0204, "`rate` names layers, and a factor: rate base 0.1", span, "no layer")
                .help("the learning rate of all: optimizer adam lr=0.001");
            return Err(Stop::Error(Box::new(d)));
        }
        let value = self.expr(frame, &factor.value)?;
        let Some(factor) = value.num().filter(|x| *x > 0.0 && x.is_finite()) else {
            let d = self
                .error(
                    Code::N0205,
                    format!("a factor of the learning rate is above 0, not {value}"),
                    factor.span,
                    "",
                )
                .help("layers that are not to learn: freeze base");
            return Err(Stop::Error(Box::new(d)));
        };
        for arg in layers {
            let name = self.layer_name("rate", arg)?;
            if let Some((first, _)) = self.results.top.rates.iter().find(|(n, _)| n.text == name.text) {
                let d = self
                    .error(Code::N0219, format!("`{}` has a rate already", name.text), name.span, "once more")
                    .label(first.span, "the first time");
                return Err(Stop::Error(Box::new(d.help("name every layer once"))));
            }
            self.results.top.rates.push((name, factor));
        }
        Ok(())
    }

    /// The path of a layer, as it is written.
    fn layer_name(&self, head: &str, arg: &Arg) -> Res<Name> {
        let mut at = &arg.value;
        while let ExprKind::Member { base, .. } = &at.kind {
            at = base;
        }
        if arg.key.is_some() || !matches!(at.kind, ExprKind::Name(_)) {
            let factor = if head == "rate" { " 0.1" } else { "" };
            let d = self
                .error(Code::N0204, format!("`{head}` takes names of layers"), arg.span, "this is no name")
                .help(format!("a layer by its own name: base = conv 8 3x3 relu, then {head} base{factor}"))
                .help(format!(
                    "or by its kind and number, as `nnc summary` shows them: {head} conv1 batchnorm1{factor}"
                ));
            return Err(Stop::Error(Box::new(d)));
        }
        let path = self.session.sources.slice(arg.value.span).split_whitespace().collect::<String>();
        Ok(Name { text: path, span: arg.value.span })
    }

    /// `then { … }`: kept until all else is known.
    pub(super) fn stage(&mut self, block: &Block, span: Span) -> Res<()> {
        if block.stmts.is_empty() {
            return self.fail(
                Code::N0204,
                "a stage says what changes: then { optimizer adam lr=1e-5; epochs 5 }",
                span,
                "",
            );
        }
        self.results.top.stages.push(block.clone());
        Ok(())
    }

    /// Puts what the stages up to the present one say over what was said before them.
    pub(crate) fn enter_stages(&mut self, frame: &mut Frame) {
        let stages = self.results.top.stages.clone();
        for block in stages.iter().take(self.results.top.stage) {
            let says =
                |heads: &[&str]| block.stmts.iter().any(|s| head(s).is_some_and(|h| heads.contains(&h)));
            let top = &mut self.results.top;
            for stmt in &block.stmts {
                top.given.remove(head(stmt).unwrap_or_default());
            }
            top.frozen.clear();
            if says(&["rate"]) {
                top.rates.clear();
            }
            if says(&["epochs", "steps"]) {
                (top.settings.epochs, top.settings.steps) = (None, None);
            }
            if says(&["batch"]) {
                top.settings.whole = false;
            }
            if says(&["optimizer"]) {
                (top.schedule, top.clip) = (None, None);
                top.rates.clear();
            }
            if says(&["stop"]) {
                top.settings.stop.clear();
            }
            for stmt in &block.stmts {
                self.at(stmt.span);
                if let Err(stop) = self.stage_statement(frame, stmt) {
                    self.report(stop);
                }
            }
        }
    }

    fn stage_statement(&mut self, frame: &mut Frame, stmt: &Stmt) -> Res<()> {
        match &stmt.kind {
            StmtKind::Setting { head, args } if OF_A_STAGE.contains(&head.text.as_str()) => {
                self.setting(frame, head, args, stmt.span)
            }
            StmtKind::Stop(when) => self.stop(frame, when, stmt.span),
            StmtKind::Error => Err(Stop::Poisoned),
            _ => {
                let d = self
                    .error(Code::N0206, "this is said once, of the whole training", stmt.span, "")
                    .help(format!("a stage has {} and stop when", OF_A_STAGE.join(", ")))
                    .help("what differs more is a program of its own: nnc train next.nn --init runs/net/1");
                Err(Stop::Error(Box::new(d)))
            }
        }
    }
}

fn head(stmt: &Stmt) -> Option<&str> {
    match &stmt.kind {
        StmtKind::Setting { head, .. } => Some(&head.text),
        StmtKind::Stop(_) => Some("stop"),
        _ => None,
    }
}
