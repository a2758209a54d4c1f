//! Functions that read and give masks.

use crate::elaborate::builtins::args::Args;
use crate::elaborate::elab::{Elab, Res};
use crate::elaborate::value::{Tensor, Value};
use nnc_syntax::Code;

/// Whether a tensor knows which of its steps are padding.
pub(super) fn has_mask(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "has_mask", 1, 1, &[])?;
    Ok(Value::Bool(e.tensor_arg(args, 0, "has_mask")?.mask.is_some()))
}

/// The mask of a tensor, `[time]`.
pub(super) fn mask_of(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "mask_of", 1, 1, &[])?;
    let t = e.tensor_arg(args, 0, "mask_of")?;
    let Some(time) = t.axes.first().copied() else {
        return e.fail(
            Code::N0205,
            "`mask_of` is about the steps of a sequence, and here is one number",
            args.span,
            "",
        );
    };
    let axes = vec![time];
    match t.mask {
        Some(mask) => {
            e.results.mask_reads += 1;
            Ok(Value::Tensor(e.tensor(mask, axes, true)))
        }
        None => {
            let one = e.b.constant(1.0);
            let node = e.b.broadcast(one, Vec::new(), Elab::dims(&axes, t.batched));
            Ok(Value::Tensor(e.tensor(node, axes, t.batched)))
        }
    }
}

/// A tensor that knows from now on which steps are padding: those where the mask is 0. `no` leaves it as it is.
pub(super) fn with_mask(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "with_mask", 2, 2, &[])?;
    let t = e.tensor_arg(args, 0, "with_mask")?;
    if let (Value::Bool(false), _) = &args.positional[1] {
        return Ok(Value::Tensor(t));
    }
    let mask = e.tensor_of(&args.positional[1].0.clone(), args.span_of(1))?;
    if t.rank() == 0 {
        return e.fail(
            Code::N0205,
            "a mask is about the steps of a sequence, and here is one number",
            args.span,
            "",
        );
    }
    let mask = e.mask_from(&t, &mask, args.span)?;
    let node = e.broadcast_to(&t, &t.axes.clone(), true, args.span)?;
    e.results.mask_reads += 1;
    Ok(Value::Tensor(Tensor { node, batched: true, mask: Some(mask), ..t }))
}

/// A tensor with 0 at the steps that are padding.
pub(super) fn zero_padding(e: &mut Elab<'_>, args: &Args) -> Res<Value> {
    e.arity(args, "zero_padding", 1, 1, &[])?;
    let t = e.tensor_arg(args, 0, "zero_padding")?;
    let t = e.floats(&t);
    Ok(Value::Tensor(match t.mask {
        Some(mask) => {
            let node = e.filled(&t, mask, 0.0);
            e.results.zeroed.insert(node);
            Tensor { node, ..t }
        }
        None => t,
    }))
}
