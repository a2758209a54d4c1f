//! Numbers too small for a full mantissa count as zero while code runs.
//!
//! The moments of an optimizer decay towards zero without ever reaching it, and arithmetic on such numbers
//! is a hundred times slower. XLA flushes them on every device, too.

/// While it lives, this thread reads and writes denormal numbers as zeros (on x86-64 and AArch64).
pub(crate) struct Flush {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    before: u64,
}

impl Flush {
    pub(crate) fn new() -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        {
            let before = read();
            write(before | FLUSH);
            Self { before }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        Self {}
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl Drop for Flush {
    fn drop(&mut self) {
        write(self.before);
    }
}

/// Flush to zero, and denormals are zero.
#[cfg(target_arch = "x86_64")]
const FLUSH: u64 = 1 << 15 | 1 << 6;
/// Flush to zero, of inputs and results.
#[cfg(target_arch = "aarch64")]
const FLUSH: u64 = 1 << 24;

#[cfg(target_arch = "x86_64")]
fn read() -> u64 {
    let mut word = 0u32;
    // SAFETY: stores the control word of the vector unit in `word`.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    u64::from(word)
}

#[cfg(target_arch = "x86_64")]
fn write(word: u64) {
    let word = word as u32;
    // SAFETY: loads the control word of the vector unit; only the two flush bits differ from what was read.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn read() -> u64 {
    let word: u64;
    // SAFETY: reads the control register of floating-point arithmetic.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "aarch64")]
fn write(word: u64) {
    // SAFETY: only the flush bit differs from what was read.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags)) };
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn flushes_and_restores() {
        let product = || black_box(1e-30f32) * black_box(1e-10f32);
        assert_ne!(product(), 0.0);
        let flush = Flush::new();
        assert_eq!(product(), 0.0);
        drop(flush);
        assert_ne!(product(), 0.0);
    }
}
